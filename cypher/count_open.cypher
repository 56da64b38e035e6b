// How many proposals that an event led to are still open: no event of an ending type has them as its nearest proposals.
// Counted by reachability, never by paths. Whatever ends a proposal follows from it, so it is among what the event led to as well.
// mode: read
// param id: STRING
// param ending: LIST<STRING> = ["ready","cancel"]  types that end a proposal
// param prefix: STRING = null  literal start of the scope, with `pattern`
// param pattern: STRING = null  regular expression of the whole scope
// param until: INTEGER = 4611686018427387904  later events do not count: what a first page saw, the next ones see
// param budget: INTEGER = 1000001  events reached at most; when `reached` is as many, there may be more
// returns count: INTEGER, reached: INTEGER
MATCH (origin:Event {id: $id})
CALL (origin) {
  MATCH (origin)<-[:PARENT*1..]-(relative)
  WITH DISTINCT relative LIMIT $budget
  RETURN collect(relative) AS reached
}
CALL (reached) {
  UNWIND reached AS end
  WITH end WHERE end.type IN $ending AND end.position <= $until
  UNWIND end.nearest AS position
  RETURN collect(DISTINCT position) AS ended
}
RETURN size([event IN reached WHERE event.type = 'proposal' AND event.position <= $until AND NOT event.position IN ended
         AND ($prefix IS NULL OR (event.scope STARTS WITH $prefix AND event.scope =~ $pattern))]) AS count, size(reached) AS reached
