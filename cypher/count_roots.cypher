// Count the first causes of an event: those among its ancestors and itself that have no cause.
// The cost grows with the events reached, not with the paths to them, whose number can grow exponentially. No row when the event does not exist.
// mode: read
// bound depth: 50  PARENT hops at most; for another bound or for none, the loader replaces the number in the text
// param id: STRING  id of the event
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
// returns count: INTEGER, reached: INTEGER
MATCH (origin:Event {id: $id})
CALL (origin) {
  MATCH (origin)-[:PARENT*0..50]->(relative)
  WITH DISTINCT relative LIMIT $budget
  WITH CASE WHEN NOT EXISTS { (relative)-[:PARENT]->() }
    AND ($types IS NULL OR relative.type IN $types)
    AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
  RETURN count(chosen) AS count, count(*) AS reached
}
RETURN count, reached
