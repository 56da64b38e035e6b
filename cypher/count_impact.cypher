// Count the events at which the consequences of an event end so far: those among its descendants and itself that have no effect yet.
// The cost grows with the events reached, not with the paths to them, whose number can grow exponentially. No row when the event does not exist.
// mode: read
// bound depth: 50  PARENT hops at most; for another bound or for none, the loader replaces the number in the text
// param id: STRING  id of the event
// param types: LIST<STRING> = null  only events of these types; null for every type
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
// returns count: INTEGER, reached: INTEGER
MATCH (origin:Event {id: $id})
CALL (origin) {
  MATCH (origin)<-[:PARENT*0..50]-(relative)
  WITH DISTINCT relative LIMIT $budget
  WITH CASE WHEN relative.position <= $until
    AND NOT EXISTS { MATCH (relative)<-[:PARENT]-(later) WHERE later.position <= $until }
    AND ($types IS NULL OR relative.type IN $types)
    AND ($prefix IS NULL OR (relative.scope STARTS WITH $prefix AND relative.scope =~ $pattern)) THEN 1 END AS chosen
  RETURN count(chosen) AS count, count(*) AS reached
}
RETURN count, reached
