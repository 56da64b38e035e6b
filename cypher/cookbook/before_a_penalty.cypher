// What happened in the hour before this penalty, and what of it led there?
// The last events before the penalty, oldest first, of the 10,000 events before it. `led_there` marks those among its nearest 10,000 causes.
// mode: read
// param id: STRING  id of the penalty, or of any other event
// param minutes: INTEGER(1..525600) = 60  how long before the penalty the events may be
// param limit: INTEGER(1..1000) = 100  rows at most
// returns id: STRING, type: STRING, agent: STRING, scope: STRING, timestamp: STRING, led_there: BOOLEAN
MATCH (penalty:Event {id: $id})
CALL (penalty) {
  OPTIONAL MATCH (penalty)-[:PARENT*1..20]->(cause)
  WITH DISTINCT cause LIMIT 10000
  RETURN collect(cause) AS causes
}
MATCH (event:Event) USING INDEX SEEK event:Event(position)
WHERE event.position < penalty.position AND event.position >= penalty.position - 10000
  AND datetime(event.timestamp) >= datetime(penalty.timestamp) - duration({minutes: $minutes})
WITH event, causes ORDER BY event.position DESC LIMIT $limit
RETURN event.id AS id, event.type AS type, event.agent_id AS agent, event.scope AS scope, event.timestamp AS timestamp,
       event IN causes AS led_there
ORDER BY event.position
