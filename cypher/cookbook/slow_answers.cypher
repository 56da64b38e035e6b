// Where do proposals wait longest for a first answer?
// For each scope: the number of proposals, how many of them became the cause of an event of the same span, and the mean time until the first such event.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only events at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns scope: STRING, proposals: INTEGER, answered: INTEGER, mean_seconds: FLOAT
CALL () {
  MATCH (proposal:Event) USING INDEX SEEK proposal:Event(position)
  WHERE proposal.position > $after AND proposal.position <= $until AND proposal.type = 'proposal'
  RETURN proposal, null AS effect
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(position) WHERE event.position > $after AND event.position <= $until
  MATCH (event)-[:PARENT]->(proposal) WHERE proposal.type = 'proposal' AND proposal.position > $after
  RETURN proposal, event.position AS effect
}
WITH proposal, min(effect) AS effect
OPTIONAL MATCH (first:Event {position: effect})
WITH proposal.scope AS scope, count(*) AS proposals, count(first) AS answered,
     avg((datetime(first.timestamp).epochMillis - datetime(proposal.timestamp).epochMillis) / 1000.0) AS mean_seconds
RETURN scope, proposals, answered, mean_seconds
ORDER BY answered > 0 DESC, mean_seconds DESC, scope LIMIT $limit
