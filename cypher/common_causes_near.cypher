// The same as common_causes, but the search covers only the newest part of the log. No row when this part is not enough to decide, or when there are
// no common causes. It is enough when every event in it that has a cause before it is a common cause: all older common causes then led to one that
// is known, and so are not the latest.
// mode: read
// param ids: LIST<STRING>  one or more event ids, none of them twice
// param span: INTEGER = 1000  positions before the oldest of the events that are searched; no row when the events themselves are further apart
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param hops: INTEGER = null  only causes at most so many PARENT hops from each event; null for any distance
// param payload: BOOLEAN = false  whether to return payloads; if false, each payload is '{}'
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
