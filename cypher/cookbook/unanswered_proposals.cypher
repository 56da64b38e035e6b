// Which proposals has nobody answered, oldest first?
// No event has them as a cause, and no event without causes counts as their answer in the same trace and scope.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns id: STRING, agent: STRING, scope: STRING, action: STRING, timestamp: STRING
MATCH (proposal:Event) WHERE proposal.position > $after AND proposal.type = 'proposal'
  AND NOT EXISTS { (proposal)<-[:PARENT]-() }
  AND NOT EXISTS {
    MATCH (later:Event) WHERE later.trace_id = proposal.trace_id AND later.position > proposal.position
      AND later.answers = proposal.position
  }
RETURN proposal.id AS id, proposal.agent_id AS agent, proposal.scope AS scope, proposal.action AS action, proposal.timestamp AS timestamp
ORDER BY proposal.position LIMIT $limit
