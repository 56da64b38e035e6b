// What is the longest chain of causes in a trace, step by step?
// Starts at the newest hundred events without a consequence in the trace and goes back, always to the cause that came last, because that one decided when work could continue. The answer is the chain with the most steps.
// mode: read
// span: 10000 of trace $trace_id
// param trace_id: STRING
// param after: INTEGER(0..) = null  only events of the trace at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events of the trace at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 1000  rows at most, from the first step on
// returns step: INTEGER, id: STRING, type: STRING, agent: STRING, seconds: FLOAT
MATCH (end:Event) USING INDEX SEEK end:Event(trace_id, position)
WHERE end.trace_id = $trace_id AND end.position > $after AND end.position <= $until
WITH end WHERE NOT EXISTS { MATCH (end)<-[:PARENT]-(effect) WHERE effect.trace_id = $trace_id AND effect.position <= $until }
WITH end ORDER BY end.position DESC LIMIT 100
MATCH path = (end) ((later)-[:PARENT]->(cause) WHERE cause.trace_id = $trace_id AND cause.position > $after
  AND NOT EXISTS { MATCH (later)-[:PARENT]->(other) WHERE other.trace_id = $trace_id AND other.position > cause.position })* (start)
WHERE NOT EXISTS { MATCH (start)-[:PARENT]->(above) WHERE above.trace_id = $trace_id AND above.position > $after }
WITH reverse(nodes(path)) AS chain ORDER BY size(chain) DESC, end.position DESC LIMIT 1
UNWIND range(0, size(chain) - 1) AS index
WITH index, chain[index] AS event, CASE WHEN index > 0 THEN chain[index - 1] END AS cause
RETURN index + 1 AS step, event.id AS id, event.type AS type, event.agent_id AS agent,
       coalesce((datetime(event.timestamp).epochMillis - datetime(cause.timestamp).epochMillis) / 1000.0, 0.0) AS seconds
ORDER BY step LIMIT $limit
