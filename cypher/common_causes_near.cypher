// The same as common_causes, looked for among the newest causes only; no row when those cannot tell, or there are none.
// They can when only what all events share has causes before them: what is there led to what is known to be shared already.
// mode: read
// param ids: LIST<STRING>  one or more different ones
// param span: INTEGER = 1000  positions before the oldest of the events, and between it and the newest, that are looked at
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param hops: INTEGER = null  only those at most so far from each
// param payload: BOOLEAN = false  whether payloads are wanted
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (origin:Event) WHERE origin.id IN $ids
WITH collect(origin) AS origins, min(origin.position) - $span AS floor, max(origin.position) - min(origin.position) AS between
WHERE between <= $span
UNWIND origins AS origin
MATCH path = (origin)-[:PARENT*0..]->(cause)
WHERE all(step IN nodes(path) WHERE step.position >= floor)
WITH floor, origin, cause, min(length(path)) AS away
WITH floor, cause, count(*) AS reached, max(away) AS away
WITH cause, reached, away, reached < size($ids) AND EXISTS { MATCH (cause)-[:PARENT]->(above) WHERE above.position < floor } AS open
WITH collect([cause, reached, away]) AS found, max(CASE WHEN open THEN 1 ELSE 0 END) AS open
WHERE open = 0
UNWIND found AS one
WITH one[0] AS cause, one[1] AS reached, one[2] AS away
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
