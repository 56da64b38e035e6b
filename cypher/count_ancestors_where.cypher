// Count the distinct events of some types or scopes that led to an event, within a number of hops.
// The filters choose which events count; the paths to them may lead through other events. No row when the event does not exist.
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
  MATCH (origin)-[:PARENT*1..50]->(relative)
  WITH DISTINCT relative LIMIT $budget
  WITH CASE WHEN ($types IS NULL OR relative.type IN $types)
    AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
  RETURN count(chosen) AS count, count(*) AS reached
}
RETURN count, reached
