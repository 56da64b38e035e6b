// A page of traces, ordered by the position of their newest event, newest first: those whose newest event is in a range of positions.
// `first` and `last` are positions of their oldest and newest event, `started` and `ended` the timestamps of these.
// mode: read
// param first: INTEGER  first position of the range
// param before: INTEGER  the range ends before this position
// param until: INTEGER  events at higher positions do not count, so that all pages see the same events
// param kinds: LIST<LIST<STRING>> = null  [type, first scope, last scope]: only traces that have an event of one of these types, in a scope between those two; null for every trace
// param pattern: STRING = null  regular expression that must match the whole scope of that event
// param limit: INTEGER = 100  rows at most
// returns trace_id: STRING, events: INTEGER, first: INTEGER, last: INTEGER, started: STRING, ended: STRING
MATCH (newest:Event) USING INDEX SEEK newest:Event(position)
WHERE newest.position >= $first AND newest.position < $before
  AND NOT EXISTS {
    MATCH (later:Event) USING INDEX SEEK later:Event(trace_id, position)
    WHERE later.trace_id = newest.trace_id AND later.position > newest.position AND later.position <= $until
  }
  AND ($kinds IS NULL OR EXISTS {
    UNWIND $kinds AS kind
    MATCH (one:Event) USING INDEX SEEK one:Event(trace_id, type, scope, position)
    WHERE one.trace_id = newest.trace_id AND one.type = kind[0] AND one.scope >= kind[1] AND one.scope <= kind[2] AND one.position <= $until
      AND ($pattern IS NULL OR one.scope =~ $pattern)
  })
WITH newest ORDER BY newest.position DESC LIMIT $limit
MATCH (newest)-[:TRACE]->(trace)
CALL (newest) {
  MATCH (oldest:Event) USING INDEX SEEK oldest:Event(trace_id, position) WHERE oldest.trace_id = newest.trace_id AND oldest.position > 0
  RETURN oldest ORDER BY oldest.trace_id, oldest.position LIMIT 1
}
WITH trace, newest, oldest,
     COUNT { MATCH (later:Event) USING INDEX SEEK later:Event(trace_id, position) WHERE later.trace_id = newest.trace_id AND later.position > $until } AS since
RETURN trace.id AS trace_id, COUNT { (trace)<-[:TRACE]-() } - since AS events, oldest.position AS first, newest.position AS last,
       oldest.timestamp AS started, newest.timestamp AS ended
ORDER BY last DESC
