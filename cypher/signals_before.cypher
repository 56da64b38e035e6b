// From the moves of some signals up to a position, what their states at that position follow from. A signal that nothing had created by then
// has no row. See moves_back for the kinds of moves, and engine/past.py for why these three are enough.
// mode: read
// param keys: LIST<STRING>  keys of the signals: scope:pattern
// param upto: INTEGER  the position
// param lowering: LIST<STRING>  event types that lower a signal
// param making_anew: LIST<STRING>  event types that raise or lower a signal
// returns signal: STRING, strength: FLOAT, decayed_at: STRING, last_updated: STRING, position: INTEGER, born: INTEGER
UNWIND $keys AS key
CALL (key) {
  CALL (key) {
    MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
    WHERE event.signal = key AND event.position <= $upto
      AND CASE WHEN event.before = 0 THEN NOT event.type IN $lowering ELSE event.type IN $making_anew END
    RETURN event.position AS at, event.after AS strength, event.timestamp AS timestamp ORDER BY event.signal DESC, event.position DESC LIMIT 1
  UNION ALL
    MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
    WHERE move.signal = key AND move.position <= $upto
    WITH move ORDER BY move.signal DESC, move.position DESC
    MATCH (event:Event {position: move.position})
    WHERE CASE WHEN move.before = 0 THEN NOT event.type IN $lowering ELSE event.type IN $making_anew END
    RETURN move.position AS at, move.after AS strength, event.timestamp AS timestamp LIMIT 1
  }
  RETURN at, strength, timestamp ORDER BY at DESC LIMIT 1
}
CALL (key) {
  CALL (key) {
    MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
    WHERE event.signal = key AND event.position <= $upto
    RETURN event.position AS touched, event.timestamp AS last_updated ORDER BY event.signal DESC, event.position DESC LIMIT 1
  UNION ALL
    MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
    WHERE move.signal = key AND move.position <= $upto
    WITH move ORDER BY move.signal DESC, move.position DESC LIMIT 1
    MATCH (event:Event {position: move.position})
    RETURN event.position AS touched, event.timestamp AS last_updated
  }
  RETURN touched, last_updated ORDER BY touched DESC LIMIT 1
}
CALL (key, at) {
  CALL (key, at) {
    MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
    WHERE event.signal = key AND event.position <= at AND event.before = 0 AND NOT event.type IN $lowering
    RETURN event.position AS born ORDER BY event.signal DESC, event.position DESC LIMIT 1
  UNION ALL
    MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
    WHERE move.signal = key AND move.position <= at AND move.before = 0
    WITH move ORDER BY move.signal DESC, move.position DESC
    MATCH (event:Event {position: move.position})
    WHERE NOT event.type IN $lowering
    RETURN move.position AS born LIMIT 1
  }
  RETURN born ORDER BY born DESC LIMIT 1
}
RETURN key AS signal, strength, timestamp AS decayed_at, last_updated, touched AS position, born
