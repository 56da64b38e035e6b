// Count the distinct events that led to an artefact (a node of the users' own graph): the events it is linked to, and all that led to those.
// The filters choose which events count; the paths to them may lead through other events.
// mode: read
// bound depth: 50  hops at most, the link included; for another bound or for none, the loader replaces the number in the text
// param id: STRING  id of the node
// param edge: STRING = null  only links of this type; null for every type
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
// returns count: INTEGER, reached: INTEGER
MATCH path = (:Node {id: $id})-[:EDGE|PARENT*1..50]->(relative:Event)
WHERE all(step IN nodes(path) WHERE step:Event OR step.id = $id)
  AND all(link IN relationships(path) WHERE $edge IS NULL OR coalesce(link.type, $edge) = $edge)
WITH DISTINCT relative LIMIT $budget
WITH CASE WHEN relative.position <= $until
  AND ($types IS NULL OR relative.type IN $types)
  AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
RETURN count(chosen) AS count, count(*) AS reached
