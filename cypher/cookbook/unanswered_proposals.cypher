// Which proposals has nobody answered, oldest first?
// No event has them as a cause, and no event without causes, of the same span, counts as their answer in the same trace and scope.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only events at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns id: STRING, agent: STRING, scope: STRING, action: STRING, timestamp: STRING
CALL () {
  MATCH (proposal:Event) USING INDEX SEEK proposal:Event(position)
  WHERE proposal.position > $after AND proposal.position <= $until AND proposal.type = 'proposal' AND NOT EXISTS { (proposal)<-[:PARENT]-() }
  RETURN proposal.position AS position, 1 AS open, 0 AS answers
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(position)
  WHERE event.position > $after AND event.position <= $until AND event.answers > $after
  RETURN event.answers AS position, 0 AS open, 1 AS answers
}
WITH position, sum(open) AS open, sum(answers) AS answers WHERE open = 1 AND answers = 0
WITH position ORDER BY position LIMIT $limit
MATCH (proposal:Event {position: position})
RETURN proposal.id AS id, proposal.agent_id AS agent, proposal.scope AS scope, proposal.action AS action, proposal.timestamp AS timestamp
ORDER BY position
