// Traces by their newest event, newest first: those whose newest event is in a span of positions.
// mode: read
// param first: INTEGER  position the span begins with
// param before: INTEGER  position the span ends before
// param limit: INTEGER
// returns trace_id: STRING, events: INTEGER, first: INTEGER, last: INTEGER, started: STRING, ended: STRING
MATCH (newest:Event)
WHERE newest.position >= $first AND newest.position < $before
  AND NOT EXISTS { MATCH (later:Event) WHERE later.trace_id = newest.trace_id AND later.position > newest.position }
WITH newest ORDER BY newest.position DESC LIMIT $limit
MATCH (newest)-[:TRACE]->(trace)
CALL (newest) {
  MATCH (oldest:Event) WHERE oldest.trace_id = newest.trace_id AND oldest.position > 0
  RETURN oldest ORDER BY oldest.trace_id, oldest.position LIMIT 1
}
RETURN trace.id AS trace_id, COUNT { (trace)<-[:TRACE]-() } AS events, oldest.position AS first, newest.position AS last,
       oldest.timestamp AS started, newest.timestamp AS ended
ORDER BY last DESC
