// Every event on any way from a cause to its effect, both included, nearest to the cause first. Reached from both ends, within
// the positions between them, since a way along PARENT only ever goes back.
// mode: read
// param cause: STRING
// param effect: STRING
// param after_depth: INTEGER  distance of the last event already seen, -1 for the first page
// param after_position: INTEGER  its position
// param limit: INTEGER
// returns depth: INTEGER, id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
CALL (cause, effect) {
  MATCH path = (cause)<-[:PARENT*0..]-(event)
  WHERE all(step IN nodes(path) WHERE step.position <= effect.position)
  RETURN event, min(length(path)) AS depth
UNION ALL
  MATCH path = (effect)-[:PARENT*0..]->(event)
  WHERE all(step IN nodes(path) WHERE step.position >= cause.position)
  WITH DISTINCT event
  RETURN event, null AS depth
}
WITH event, count(*) AS sides, min(depth) AS depth
WHERE sides = 2
  AND (depth > $after_depth OR (depth = $after_depth AND event.position > $after_position))
WITH event, depth ORDER BY depth, event.position LIMIT $limit
RETURN depth, event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
