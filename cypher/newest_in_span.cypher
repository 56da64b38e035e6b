// How many events of a type, of a trace, or that moved a signal there are between two positions, up to $look, and the oldest of these, newest first.
// `first` is null when there are none. Only the indexes are read. What is not asked about has no values.
// mode: read
// param types: LIST<STRING>  one type at most
// param traces: LIST<STRING>  one trace at most
// param signals: LIST<STRING>  one signal at most, as scope:pattern
// param after: INTEGER  only positions above this
// param until: INTEGER  only positions up to this
// param look: INTEGER  events to look at, at most
// returns events: INTEGER, first: INTEGER
CALL () {
  UNWIND $types AS type
  CALL (type) {
    MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
    WHERE event.type = type AND event.position > $after AND event.position <= $until
    RETURN event.position AS position ORDER BY event.type DESC, event.position DESC LIMIT $look
  }
  RETURN position
UNION ALL
  UNWIND $traces AS trace
  CALL (trace) {
    MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
    WHERE event.trace_id = trace AND event.position > $after AND event.position <= $until
    RETURN event.position AS position ORDER BY event.trace_id DESC, event.position DESC LIMIT $look
  }
  RETURN position
UNION ALL
  UNWIND $signals AS signal
  CALL (signal) {
    MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
    WHERE event.signal = signal AND event.position > $after AND event.position <= $until
    RETURN event.position AS position ORDER BY event.signal DESC, event.position DESC LIMIT $look
  }
  RETURN position
UNION ALL
  UNWIND $signals AS signal
  CALL (signal) {
    MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
    WHERE move.signal = signal AND move.position > $after AND move.position <= $until
    RETURN move.position AS position ORDER BY move.signal DESC, move.position DESC LIMIT $look
  }
  RETURN position
}
WITH position ORDER BY position DESC LIMIT $look
RETURN count(position) AS events, min(position) AS first
