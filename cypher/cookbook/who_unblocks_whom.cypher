// Who unblocks whom, how often, and how long did it take to go on?
// An event could happen as soon as the last of its causes was there. The agent of that cause unblocked the agent of the event.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only events at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns unblocker: STRING, unblocked: STRING, times: INTEGER, mean_seconds: FLOAT
MATCH (event:Event) USING INDEX SEEK event:Event(position) WHERE event.position > $after AND event.position <= $until
CALL (event) {
  MATCH (event)-[:PARENT]->(cause)
  RETURN cause AS last ORDER BY cause.position DESC LIMIT 1
}
WITH event, last WHERE last.agent_id <> event.agent_id
RETURN last.agent_id AS unblocker, event.agent_id AS unblocked, count(*) AS times,
       avg((datetime(event.timestamp).epochMillis - datetime(last.timestamp).epochMillis) / 1000.0) AS mean_seconds
ORDER BY times DESC, unblocker, unblocked LIMIT $limit
