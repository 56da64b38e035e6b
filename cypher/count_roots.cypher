// How many: the first causes of an event: what led to it and has no cause itself; the event itself when it has none.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING
// param types: LIST<STRING>  or null for every type
// param prefix: STRING  literal start of the scope, or null for every scope
// param pattern: STRING  regular expression of the whole scope, or null
// returns count: INTEGER
MATCH (origin:Event {id: $id})
CALL (origin) {
  MATCH (origin)-[:PARENT*0..50]->(relative)
  WITH DISTINCT relative
  WHERE NOT EXISTS { (relative)-[:PARENT]->() }
    AND ($types IS NULL OR relative.type IN $types)
    AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
  RETURN count(relative) AS count
}
RETURN count
