// What is the longest chain of causes in a trace, step by step?
// Starts at each event without a consequence in the trace and goes back, always to the cause that came last, because that one decided when work could continue. The answer is the chain with the most steps.
// mode: read
// param trace_id: STRING
// param limit: INTEGER(1..1000) = 1000  rows at most, from the first step on
// returns step: INTEGER, id: STRING, type: STRING, agent: STRING, seconds: FLOAT
MATCH (end:Event) WHERE end.trace_id = $trace_id AND end.position > 0
  AND NOT EXISTS { MATCH (end)<-[:PARENT]-(effect) WHERE effect.trace_id = $trace_id }
MATCH path = (end) ((later)-[:PARENT]->(cause) WHERE cause.trace_id = $trace_id
  AND NOT EXISTS { MATCH (later)-[:PARENT]->(other) WHERE other.trace_id = $trace_id AND other.position > cause.position })* (start)
WHERE NOT EXISTS { MATCH (start)-[:PARENT]->(above) WHERE above.trace_id = $trace_id }
WITH reverse(nodes(path)) AS chain ORDER BY size(chain) DESC, end.position DESC LIMIT 1
UNWIND range(0, size(chain) - 1) AS index
WITH index, chain[index] AS event, CASE WHEN index > 0 THEN chain[index - 1] END AS cause
RETURN index + 1 AS step, event.id AS id, event.type AS type, event.agent_id AS agent,
       coalesce((datetime(event.timestamp).epochMillis - datetime(cause.timestamp).epochMillis) / 1000.0, 0.0) AS seconds
ORDER BY step LIMIT $limit
