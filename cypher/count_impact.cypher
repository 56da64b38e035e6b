// How many: where an event's consequences end: what it led to and has led to nothing yet, or the event itself.
// Counted by reachability, never by paths.
// mode: read
// bound depth: 50  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param id: STRING
// param types: LIST<STRING> = null  only these types
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param until: INTEGER = 4611686018427387904  later events do not count: what a first page saw, the next ones see
// param budget: INTEGER = 1000001  events reached at most; when `reached` is as many, there may be more
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
