// A page of these traces, ordered by the position of their newest event, newest first. The columns are those of `traces`.
// mode: read
// param ids: LIST<STRING>  of traces
// param before: INTEGER  only traces whose newest event is before this position
// param until: INTEGER  events at higher positions do not count, so that all pages see the same events
// param limit: INTEGER  rows at most
// returns trace_id: STRING, events: INTEGER, first: INTEGER, last: INTEGER, started: STRING, ended: STRING
UNWIND $ids AS id
CALL (id) {
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
  WHERE event.trace_id = id AND event.position > 0 AND event.position <= $until
  RETURN event AS newest ORDER BY event.trace_id DESC, event.position DESC LIMIT 1
}
WITH newest WHERE newest.position < $before
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
