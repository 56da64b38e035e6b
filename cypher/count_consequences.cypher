// What an artefact led to: the events its node is linked to, and everything they led to. How many events, each once.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING  of the node
// param edge: STRING  type of the links that count, or null for all
// param types: LIST<STRING>  or null for every type
// param prefix: STRING  literal start of the scope, or null for every scope
// param pattern: STRING  regular expression of the whole scope, or null
// param until: INTEGER  positions up to this
// returns count: INTEGER
MATCH (:Node {id: $id})-[edge:EDGE]->(linked:Event)
WHERE $edge IS NULL OR edge.type = $edge
WITH DISTINCT linked
MATCH path = (linked)<-[:PARENT*0..50]-(relative)
WITH relative, min(length(path)) AS depth
WHERE relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern))
RETURN count(*) AS count
