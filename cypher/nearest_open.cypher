// A page of the open proposals among the descendants of an event: nearest first, at the same depth oldest first, each once at its shortest distance.
// A proposal is open while no event of an ending type has it as a nearest proposal. An event that ends a proposal is a descendant of it, and so is
// among the descendants found here.
// mode: read
// param id: STRING  id of the event
// param ending: LIST<STRING> = ["ready","cancel"]  event types that end a proposal
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param after_depth: INTEGER = -1  depth of the last event of the previous page; -1 for the first page
// param after_position: INTEGER = 0  position of the last event of the previous page
// param limit: INTEGER = 100  rows at most
// param budget: INTEGER = 1000001  the search ends after so many events; if there are more, the page is not to be used
// param payload: BOOLEAN = false  whether to return payloads; if false, each payload is '{}'
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH path = (origin:Event {id: $id})<-[:PARENT*1..]-(relative)
WITH relative, min(length(path)) AS depth LIMIT $budget
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
