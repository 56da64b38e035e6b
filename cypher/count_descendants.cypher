// How many distinct events: everything an event led to, at any distance. Counted by reachability, never by paths.
// mode: read
// param id: STRING
// returns count: INTEGER
MATCH (event:Event {id: $id})
CALL (event) {
  MATCH (event)<-[:PARENT*1..]-(relative)
  RETURN count(DISTINCT relative) AS count
}
RETURN count
