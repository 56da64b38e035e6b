// A page of what led to an artefact: the events its node is linked to, at depth 0, and all that led to them.
// Nearest first, each event once at its shortest distance from a linked one.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING  of the node
// param edge: STRING = null  only links of this type
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param until: INTEGER = 4611686018427387904  later events do not count: what a first page saw, the next ones see
// param after_depth: INTEGER = -1  distance of the last event already seen, -1 for the first page
// param after_position: INTEGER = 0  its position
// param limit: INTEGER = 100
// param payload: BOOLEAN = false  whether payloads are wanted
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (:Node {id: $id})-[edge:EDGE]->(linked:Event)
WHERE $edge IS NULL OR edge.type = $edge
WITH DISTINCT linked
MATCH path = (linked)-[:PARENT*0..50]->(relative)
WITH relative, min(length(path)) AS depth
WHERE (depth > $after_depth OR (depth = $after_depth AND relative.position < $after_position))
  AND relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
WITH relative AS event, depth ORDER BY depth, relative.position DESC LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, CASE WHEN $payload THEN event.payload ELSE '{}' END AS payload,
       event.position AS position
