// Count the distinct events on all paths from a cause to its effect, both included; 0 when no path leads there.
// The search runs from both ends, and only between their positions, because a cause always has a lower position than its effects.
// mode: read
// bound depth: 50  PARENT hops from the cause at most; for another bound or for none, the loader replaces the number in the text
// param cause: STRING  id of the cause
// param effect: STRING  id of the effect
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param budget: INTEGER = 1000001  the search from each end stops after so many events; when `reached` equals it, `count` may be too low
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
