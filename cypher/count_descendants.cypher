// How many distinct events: everything an event led to, however far on.
// Counted by reachability, never by paths, so that a ladder of diamonds costs its nodes.
// mode: read
// param id: STRING
// param budget: INTEGER = 1000001  events reached at most; when `reached` is as many, there may be more
// returns count: INTEGER, reached: INTEGER
MATCH (event:Event {id: $id})
CALL (event) {
  MATCH (event)<-[:PARENT*1..]-(relative)
  WITH DISTINCT relative LIMIT $budget
  RETURN count(relative) AS count
}
RETURN count, count AS reached
