// The newest proposal of each trace and scope, where there is one.
// mode: read
// param threads: LIST<LIST<STRING>>  [trace_id, scope]
// returns trace_id: STRING, scope: STRING, position: INTEGER, action: STRING
UNWIND $threads AS thread
CALL (thread) {
  MATCH (proposal:Proposal) WHERE proposal.trace_id = thread[0] AND proposal.scope = thread[1] AND proposal.position > 0
  RETURN proposal ORDER BY proposal.trace_id DESC, proposal.scope DESC, proposal.position DESC LIMIT 1
}
RETURN thread[0] AS trace_id, thread[1] AS scope, proposal.position AS position, proposal.action AS action
