// Every event on any way from a cause to its effect, both included, nearest to the cause first.
// Reached from both ends, within the positions between them, since a way along PARENT only ever goes back.
// mode: read
// bound depth: 50  PARENT hops from the cause at most; runs as it stands, and for any other bound the number is replaced
// param cause: STRING
// param effect: STRING
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param after_depth: INTEGER = -1  distance of the last event already seen, -1 for the first page
// param after_position: INTEGER = 0  its position
// param limit: INTEGER = 100
// param budget: INTEGER = 1000001  events reached at most from either end
// param payload: BOOLEAN = false  whether payloads are wanted
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
