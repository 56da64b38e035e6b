// The ids of the events on one of the shortest paths from a cause to its effect, both included, the cause first. No row when no path leads there.
// mode: read
// param cause: STRING  id of the cause
// param effect: STRING  id of the effect, another event than the cause
// returns ids: LIST<STRING>
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
MATCH path = shortestPath((effect)-[:PARENT*]->(cause))
RETURN [step IN reverse(nodes(path)) | step.id] AS ids
