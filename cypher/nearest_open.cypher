// A page of the proposals that an event led to and that are still open: no event of an ending type has them as its nearest proposals.
// Nearest first, each once at its shortest distance. Whatever ends a proposal follows from it, so it is among what the event led to as well.
// mode: read
// param id: STRING
// param ending: LIST<STRING> = ["ready","cancel"]  types that end a proposal
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param until: INTEGER = 4611686018427387904  later events do not count: what a first page saw, the next ones see
// param after_depth: INTEGER = -1  distance of the last event already seen, -1 for the first page
// param after_position: INTEGER = 0  its position
// param limit: INTEGER = 100
// param payload: BOOLEAN = false  whether payloads are wanted
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH path = (origin:Event {id: $id})<-[:PARENT*1..]-(relative)
WITH relative, min(length(path)) AS depth
WHERE relative.position <= $until
WITH collect([relative, depth]) AS reached
CALL (reached) {
  UNWIND reached AS one
  WITH one[0] AS end
  WHERE end.type IN $ending
  UNWIND end.nearest AS position
  RETURN collect(DISTINCT position) AS ended
}
UNWIND reached AS one
WITH one[0] AS event, one[1] AS depth, ended
WHERE event.type = 'proposal' AND NOT event.position IN ended
  AND (depth > $after_depth OR (depth = $after_depth AND event.position > $after_position))
  AND ($prefix IS NULL OR (event.scope STARTS WITH $prefix AND event.scope =~ $pattern))
WITH event, depth ORDER BY depth, event.position LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, CASE WHEN $payload THEN event.payload ELSE '{}' END AS payload,
       event.position AS position
