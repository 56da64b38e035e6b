// What several events have in common: the causes shared by all (each event is among its own) of which none led to another.
// Whatever has an effect that is shared too is not among them; `depth` is how far the farthest of the events is.
// mode: read
// param ids: LIST<STRING>  one or more different ones
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param hops: INTEGER = null  only those at most so far from each
// param payload: BOOLEAN = false  whether payloads are wanted
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
UNWIND $ids AS id
MATCH path = (origin:Event {id: id})-[:PARENT*0..]->(cause)
WITH origin, cause, min(length(path)) AS away
WITH cause, count(*) AS reached, max(away) AS away
WHERE reached = size($ids)
CALL (cause, away) {
  RETURN cause AS event, away AS depth, 0 AS surpassed
UNION ALL
  MATCH (cause)-[:PARENT]->(above)
  RETURN above AS event, 0 AS depth, 1 AS surpassed
}
WITH event, max(depth) AS depth, max(surpassed) AS surpassed
WHERE surpassed = 0 AND ($hops IS NULL OR depth <= $hops)
  AND ($types IS NULL OR event.type IN $types)
  AND ($prefix IS NULL OR (event.scope STARTS WITH $prefix AND event.scope =~ $pattern))
WITH event, depth ORDER BY depth, event.position DESC
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp,
       CASE WHEN $payload THEN event.payload ELSE '{}' END AS payload, event.position AS position
