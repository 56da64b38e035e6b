// Whose proposals are penalised later on, directly or through what was built on them?
// Every penalty is followed back up to ten hops, to its nearest 1,000 causes. Each proposal found counts once for its agent, no matter how many paths lead to it.
// mode: read
// span: 1000 of type penalty
// param after: INTEGER(0..) = null  only penalties at positions above this; null for the newest 1,000; otherwise the newest 10,000 at most
// param until: INTEGER(0..) = null  only penalties at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, penalised: INTEGER, penalties: INTEGER
MATCH (penalty:Event) USING INDEX SEEK penalty:Event(type, position)
WHERE penalty.type = 'penalty' AND penalty.position > $after AND penalty.position <= $until
CALL (penalty) {
  MATCH (penalty)-[:PARENT*1..10]->(cause)
  WITH DISTINCT cause LIMIT 1000
  WITH cause WHERE cause.type = 'proposal'
  RETURN cause AS proposal
}
RETURN proposal.agent_id AS agent, count(DISTINCT proposal) AS penalised, count(DISTINCT penalty) AS penalties
ORDER BY penalties DESC, agent LIMIT $limit
