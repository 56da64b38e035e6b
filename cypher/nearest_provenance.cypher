// What led to an artefact: the events its node is linked to, and everything that led to them; each event once, at its shortest distance from a linked one.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING  of the node
// param edge: STRING  type of the links that count, or null for all
// param types: LIST<STRING>  or null for every type
// param prefix: STRING  literal start of the scope, or null for every scope
// param pattern: STRING  regular expression of the whole scope, or null
// param until: INTEGER  positions up to this
// param after_depth: INTEGER  distance of the last event already seen, -1 for the first page
// param after_position: INTEGER  its position
// param limit: INTEGER
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (:Node {id: $id})-[edge:EDGE]->(linked:Event)
WHERE $edge IS NULL OR edge.type = $edge
WITH DISTINCT linked
MATCH path = (linked)-[:PARENT*0..50]->(relative)
WITH relative, min(length(path)) AS depth
WHERE relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
  AND (depth > $after_depth OR (depth = $after_depth AND relative.position < $after_position))
WITH relative AS event, depth ORDER BY depth, relative.position DESC LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
