// Count the events that moved a signal, up to a position. Only the indexes are read.
// mode: read
// param signal: STRING  key of the signal: scope:pattern
// param upto: INTEGER  only positions up to this
// param look: INTEGER = 10000  the count ends here
// returns count: INTEGER
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
  WHERE event.signal = $signal AND event.position <= $upto
  RETURN event.position AS position LIMIT $look
UNION ALL
  MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
  WHERE move.signal = $signal AND move.position <= $upto
  RETURN move.position AS position LIMIT $look
}
WITH position LIMIT $look
RETURN count(*) AS count
