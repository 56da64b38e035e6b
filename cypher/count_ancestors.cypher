// Count the distinct events that led to an event, at any distance.
// The cost grows with the events reached, not with the paths to them, whose number can grow exponentially. No row when the event does not exist.
// mode: read
// param id: STRING  id of the event
// param budget: INTEGER = 1000001  the search ends after so many events; when `reached` equals it, `count` may be too low
// returns count: INTEGER, reached: INTEGER
MATCH (event:Event {id: $id})
CALL (event) {
  MATCH (event)-[:PARENT*1..]->(relative)
  WITH DISTINCT relative LIMIT $budget
  RETURN count(relative) AS count
}
RETURN count, count AS reached
