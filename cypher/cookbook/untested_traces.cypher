// Which traces never got a test?
// Traces without an event of type test, those with the most events first. `rewarded` says whether they were rewarded nevertheless.
// mode: read
// param limit: INTEGER(1..1000) = 20  rows at most
// returns trace_id: STRING, events: INTEGER, proposals: INTEGER, rewarded: BOOLEAN
MATCH (trace:Trace) WHERE NOT EXISTS { MATCH (trace)<-[:TRACE]-(event) WHERE event.type = 'test' }
RETURN trace.id AS trace_id, COUNT { (trace)<-[:TRACE]-() } AS events,
       COUNT { MATCH (trace)<-[:TRACE]-(event) WHERE event.type = 'proposal' } AS proposals,
       EXISTS { MATCH (trace)<-[:TRACE]-(event) WHERE event.type = 'reward' } AS rewarded
ORDER BY events DESC, trace_id LIMIT $limit
