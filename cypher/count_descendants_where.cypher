// How many distinct events of some types or scopes: everything an event led to, within a distance.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING
// param types: LIST<STRING>  or null for every type
// param prefix: STRING  literal start of the scope, or null for every scope
// param pattern: STRING  regular expression of the whole scope, or null
// param until: INTEGER  later events do not count: what a first page saw, the next ones see
// returns count: INTEGER
MATCH (event:Event {id: $id})
CALL (event) {
  MATCH (event)<-[:PARENT*1..50]-(relative)
  WITH DISTINCT relative
  WHERE relative.position <= $until AND ($types IS NULL OR relative.type IN $types)
    AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
  RETURN count(relative) AS count
}
RETURN count
