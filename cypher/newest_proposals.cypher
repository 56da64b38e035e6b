// The newest proposal of each thread (a trace and a scope). No row for a thread without a proposal.
// mode: read
// param threads: LIST<LIST<STRING>>  [trace_id, scope]
// returns trace_id: STRING, scope: STRING, position: INTEGER, action: STRING
UNWIND $threads AS thread
CALL (thread) {
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, type, scope, position)
  WHERE event.trace_id = thread[0] AND event.type = 'proposal' AND event.scope = thread[1] AND event.position > 0
  RETURN event AS proposal ORDER BY event.trace_id DESC, event.type DESC, event.scope DESC, event.position DESC LIMIT 1
}
RETURN thread[0] AS trace_id, thread[1] AS scope, proposal.position AS position, proposal.action AS action
