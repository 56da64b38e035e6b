// A page of the events on all paths from a cause to its effect, both included: nearest to the cause first, at the same depth oldest first.
// `depth` is the shortest distance from the cause in PARENT hops.
// The search runs from both ends, and only between their positions, because a cause always has a lower position than its effects.
// mode: read
// bound depth: 50  PARENT hops from the cause at most; for another bound or for none, the loader replaces the number in the text
// param cause: STRING  id of the cause
// param effect: STRING  id of the effect
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param after_depth: INTEGER = -1  depth of the last event of the previous page; -1 for the first page
// param after_position: INTEGER = 0  position of the last event of the previous page
// param limit: INTEGER = 100  rows at most
// param budget: INTEGER = 1000001  the search from each end stops after so many events
// param payload: BOOLEAN = false  whether to return payloads; if false, each payload is '{}'
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
CALL (cause, effect) {
  MATCH path = (cause)<-[:PARENT*0..50]-(event)
  WHERE all(step IN nodes(path) WHERE step.position <= effect.position)
  WITH event, min(length(path)) AS depth LIMIT $budget
  RETURN event, depth
UNION ALL
  MATCH path = (effect)-[:PARENT*0..]->(event)
  WHERE all(step IN nodes(path) WHERE step.position >= cause.position)
  WITH DISTINCT event LIMIT $budget
  RETURN event, null AS depth
}
WITH event, count(*) AS sides, min(depth) AS depth
WHERE sides = 2
  AND (depth > $after_depth OR (depth = $after_depth AND event.position > $after_position))
  AND ($types IS NULL OR event.type IN $types)
  AND ($prefix IS NULL OR (event.scope STARTS WITH $prefix AND event.scope =~ $pattern))
WITH event, depth ORDER BY depth, event.position LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp,
       CASE WHEN $payload THEN event.payload ELSE '{}' END AS payload, event.position AS position
