// How many events are on the ways from a cause to its effect, both included; 0 when none leads there.
// Reached from both ends, within the positions between them, since a way along PARENT only ever goes back.
// mode: read
// bound depth: 50  PARENT hops from the cause at most; runs as it stands, and for any other bound the number is replaced
// param cause: STRING
// param effect: STRING
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param budget: INTEGER = 1000001  events reached at most from either end; when `reached` is as many, there may be more
// returns count: INTEGER, reached: INTEGER
MATCH (cause:Event {id: $cause}), (effect:Event {id: $effect})
CALL (cause, effect) {
  MATCH path = (cause)<-[:PARENT*0..50]-(event)
  WHERE all(step IN nodes(path) WHERE step.position <= effect.position)
  WITH DISTINCT event LIMIT $budget
  RETURN event, 1 AS later, 0 AS earlier
UNION ALL
  MATCH path = (effect)-[:PARENT*0..]->(event)
  WHERE all(step IN nodes(path) WHERE step.position >= cause.position)
  WITH DISTINCT event LIMIT $budget
  RETURN event, 0 AS later, 1 AS earlier
}
WITH event, sum(later) AS later, sum(earlier) AS earlier
WITH later, earlier, CASE WHEN later + earlier = 2 AND ($types IS NULL OR event.type IN $types)
    AND ($prefix IS NULL OR (event.scope STARTS WITH $prefix AND event.scope =~ $pattern)) THEN 1 END AS chosen
RETURN count(chosen) AS count,
       CASE WHEN sum(later) > sum(earlier) THEN sum(later) ELSE sum(earlier) END AS reached
