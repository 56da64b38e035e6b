// One of the shortest ways from a cause to its effect, as ids. No row when none leads there.
// mode: read
// param cause: STRING
// param effect: STRING  another event
// returns ids: LIST<STRING>
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
MATCH path = shortestPath((effect)-[:PARENT*]->(cause))
RETURN [step IN reverse(nodes(path)) | step.id] AS ids
