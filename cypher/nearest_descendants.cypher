// A page of the events that followed from an event: nearest first, at the same depth oldest first.
// Each event comes once, at its shortest distance; `depth` is this distance in PARENT hops.
// mode: read
// bound depth: 50  PARENT hops at most; for another bound or for none, the loader replaces the number in the text
// param id: STRING  id of the event
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param after_depth: INTEGER = -1  depth of the last event of the previous page; -1 for the first page
// param after_position: INTEGER = 0  position of the last event of the previous page
// param limit: INTEGER = 100  rows at most
// param budget: INTEGER = 1000001  the search ends after so many events, nearest first
// param payload: BOOLEAN = false  whether to return payloads; if false, each payload is '{}'
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH path = (origin:Event {id: $id})<-[:PARENT*1..50]-(relative)
WITH relative, min(length(path)) AS depth ORDER BY depth LIMIT $budget
WHERE (depth > $after_depth OR (depth = $after_depth AND relative.position > $after_position))
  AND relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
WITH relative AS event, depth ORDER BY depth, relative.position LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, CASE WHEN $payload THEN event.payload ELSE '{}' END AS payload,
       event.position AS position
