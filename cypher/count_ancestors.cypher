// How many distinct events: everything that led to an event, at any distance. Counted by reachability, never by paths.
// mode: read
// param id: STRING
// returns count: INTEGER
MATCH (event:Event {id: $id})
CALL (event) {
  MATCH (event)-[:PARENT*1..]->(relative)
  RETURN count(DISTINCT relative) AS count
}
RETURN count
