// The latest common causes of several events, like the merge bases of Git: the events that led to all of them and that have no direct effect which
// also led to all of them. Each event counts as a cause of itself. `depth` is the distance to the farthest of the events, in PARENT hops.
// Nearest first, at the same depth newest first.
// mode: read
// param ids: LIST<STRING>  one or more event ids, none of them twice
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param hops: INTEGER = null  only causes at most so many PARENT hops from each event; null for any distance
// param payload: BOOLEAN = false  whether to return payloads; if false, each payload is '{}'
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
