// Which traces never got a test?
// Traces with an event in the span, without those that have a test anywhere. `events` and `proposals` count the events of the span; the traces with the most come first. `rewarded` says whether a trace was rewarded nevertheless, at any time.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only events at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns trace_id: STRING, events: INTEGER, proposals: INTEGER, rewarded: BOOLEAN
MATCH (event:Event) USING INDEX SEEK event:Event(position) WHERE event.position > $after AND event.position <= $until
WITH event.trace_id AS trace_id, count(*) AS events, count(CASE WHEN event.type = 'proposal' THEN 1 END) AS proposals
WHERE NOT EXISTS {
  MATCH (test:Event) USING INDEX SEEK test:Event(trace_id, type, scope, position)
  WHERE test.trace_id = trace_id AND test.type = 'test' AND test.scope > '' AND test.position > 0
}
WITH trace_id, events, proposals ORDER BY events DESC, trace_id LIMIT $limit
RETURN trace_id, events, proposals, EXISTS {
  MATCH (reward:Event) USING INDEX SEEK reward:Event(trace_id, type, scope, position)
  WHERE reward.trace_id = trace_id AND reward.type = 'reward' AND reward.scope > '' AND reward.position > 0
} AS rewarded
ORDER BY events DESC, trace_id
