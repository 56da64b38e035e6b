// How many events are on the ways from a cause to its effect, both included; 0 when none leads there.
// mode: read
// param cause: STRING
// param effect: STRING
// returns count: INTEGER
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
CALL (cause, effect) {
  MATCH path = (cause)<-[:PARENT*0..]-(event)
  WHERE all(step IN nodes(path) WHERE step.position <= effect.position)
  RETURN DISTINCT event
UNION ALL
  MATCH path = (effect)-[:PARENT*0..]->(event)
  WHERE all(step IN nodes(path) WHERE step.position >= cause.position)
  RETURN DISTINCT event
}
WITH event, count(*) AS sides
WHERE sides = 2
RETURN count(event) AS count
