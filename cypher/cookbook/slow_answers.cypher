// Where do proposals wait longest for a first answer?
// For each scope: the number of proposals, how many of them became the cause of an event, and the mean time until the first such event.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns scope: STRING, proposals: INTEGER, answered: INTEGER, mean_seconds: FLOAT
MATCH (proposal:Event) WHERE proposal.position > $after AND proposal.type = 'proposal'
CALL (proposal) {
  OPTIONAL MATCH (proposal)<-[:PARENT]-(effect)
  RETURN effect AS first ORDER BY effect.position LIMIT 1
}
WITH proposal.scope AS scope, count(*) AS proposals, count(first) AS answered,
     avg((datetime(first.timestamp).epochMillis - datetime(proposal.timestamp).epochMillis) / 1000.0) AS mean_seconds
RETURN scope, proposals, answered, mean_seconds
ORDER BY answered > 0 DESC, mean_seconds DESC, scope LIMIT $limit
