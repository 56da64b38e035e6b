// A page of traces, ordered by the position of their newest event, newest first: those whose newest event is in a range of positions.
// `first` and `last` are positions of their oldest and newest event, `started` and `ended` the timestamps of these.
// mode: read
// param first: INTEGER  first position of the range
// param before: INTEGER  the range ends before this position
// param until: INTEGER  events at higher positions do not count, so that all pages see the same events
// param types: LIST<STRING> = null  only traces that have an event of these types; null for every type
// param prefix: STRING = null  only traces that have such an event in a scope that starts with this text; given together with `pattern`
// param pattern: STRING = null  regular expression that must match the whole scope
// param limit: INTEGER = 100  rows at most
// returns trace_id: STRING, events: INTEGER, first: INTEGER, last: INTEGER, started: STRING, ended: STRING
MATCH (newest:Event)
WHERE newest.position >= $first AND newest.position < $before
  AND NOT EXISTS {
    MATCH (later:Event)
    WHERE later.trace_id = newest.trace_id AND later.position > newest.position AND later.position <= $until
  }
  AND (($types IS NULL AND $prefix IS NULL) OR EXISTS {
    MATCH (one:Event)
    WHERE one.trace_id = newest.trace_id AND one.position > 0 AND one.position <= $until
      AND ($types IS NULL OR one.type IN $types)
      AND ($prefix IS NULL OR (one.scope STARTS WITH $prefix AND one.scope =~ $pattern))
  })
WITH newest ORDER BY newest.position DESC LIMIT $limit
MATCH (newest)-[:TRACE]->(trace)
CALL (newest) {
  MATCH (oldest:Event) WHERE oldest.trace_id = newest.trace_id AND oldest.position > 0
  RETURN oldest ORDER BY oldest.trace_id, oldest.position LIMIT 1
}
WITH trace, newest, oldest,
     COUNT { MATCH (later:Event) WHERE later.trace_id = newest.trace_id AND later.position > $until } AS since
RETURN trace.id AS trace_id, COUNT { (trace)<-[:TRACE]-() } - since AS events, oldest.position AS first, newest.position AS last,
       oldest.timestamp AS started, newest.timestamp AS ended
ORDER BY last DESC
