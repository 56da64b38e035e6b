// How many: the first causes of an event: what led to it and has no cause itself, or the event itself.
// Counted by reachability, never by paths.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param budget: INTEGER = 1000001  events reached at most; when `reached` is as many, there may be more
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
