// How many distinct events led to an artefact: those its node is linked to, and all that led to them.
// Filters choose what is counted; the way may lead through others.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING  of the node
// param edge: STRING = null  only links of this type
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param until: INTEGER = 4611686018427387904  later events do not count: what a first page saw, the next ones see
// param budget: INTEGER = 1000001  events reached at most; when `reached` is as many, there may be more
// returns count: INTEGER, reached: INTEGER
MATCH (:Node {id: $id})-[edge:EDGE]->(linked:Event)
WHERE $edge IS NULL OR edge.type = $edge
WITH DISTINCT linked
MATCH (linked)-[:PARENT*0..50]->(relative)
WITH DISTINCT relative LIMIT $budget
WITH CASE WHEN relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
RETURN count(chosen) AS count, count(*) AS reached
