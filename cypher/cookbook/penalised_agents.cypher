// Whose proposals are penalised later on, directly or through what was built on them?
// Every penalty is followed back up to ten hops. Each proposal found counts once for its agent, no matter how many paths lead to it.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, penalised: INTEGER, penalties: INTEGER
MATCH (penalty:Event) WHERE penalty.position > $after AND penalty.type = 'penalty'
CALL (penalty) {
  MATCH (penalty)-[:PARENT*1..10]->(cause)
  WITH DISTINCT cause WHERE cause.type = 'proposal'
  RETURN cause AS proposal
}
RETURN proposal.agent_id AS agent, count(DISTINCT proposal) AS penalised, count(DISTINCT penalty) AS penalties
ORDER BY penalties DESC, agent LIMIT $limit
