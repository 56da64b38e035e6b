// The newest proposal of a trace and scope.
// mode: schema
CREATE INDEX proposal_thread IF NOT EXISTS FOR (proposal:Proposal) ON (proposal.trace_id, proposal.scope, proposal.position)
