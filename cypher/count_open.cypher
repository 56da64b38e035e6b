// Count the open proposals among the descendants of an event. A proposal is open while no event of an ending type has it as a nearest proposal.
// An event that ends a proposal is a descendant of it, and so is among the descendants found here. No row when the event does not exist.
// The cost grows with the events reached, not with the paths to them, whose number can grow exponentially.
// mode: read
// param id: STRING  id of the event
// param ending: LIST<STRING> = ["ready","cancel"]  event types that end a proposal
// param prefix: STRING = null  only scopes that start with this text; given together with `pattern`; null for every scope
// param pattern: STRING = null  regular expression that must match the whole scope
// param until: INTEGER = 4611686018427387904  events at higher positions do not count, so that all pages see the same events
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
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
