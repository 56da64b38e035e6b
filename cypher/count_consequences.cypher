// Count the distinct events that followed from an artefact (a node of the users' own graph): the events it is linked to, and all that
// followed from those. The filters choose which events count; the paths to them may lead through other events.
// mode: read
// bound depth: 50  PARENT hops at most; for another bound or for none, the loader replaces the number in the text
// param id: STRING  id of the node
// param edge: STRING = null  only links of this type; null for every type
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
// returns count: INTEGER, reached: INTEGER
MATCH (:Node {id: $id})-[edge:EDGE]->(linked:Event)
WHERE $edge IS NULL OR edge.type = $edge
WITH DISTINCT linked
MATCH (linked)<-[:PARENT*0..50]-(relative)
WITH DISTINCT relative LIMIT $budget
WITH CASE WHEN relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
RETURN count(chosen) AS count, count(*) AS reached
