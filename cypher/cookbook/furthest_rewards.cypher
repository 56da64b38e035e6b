// Whose rewards reach furthest back?
// Every reward is followed back up to fifty hops. `furthest` is the largest number of hops to a cause; `events` is the number of different causes of all rewards of the agent.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, rewards: INTEGER, furthest: INTEGER, events: INTEGER
MATCH (reward:Event) WHERE reward.position > $after AND reward.type = 'reward'
CALL (reward) {
  MATCH path = (reward)-[:PARENT*1..50]->(cause)
  RETURN cause, min(length(path)) AS depth
}
RETURN reward.agent_id AS agent, count(DISTINCT reward) AS rewards, max(depth) AS furthest, count(DISTINCT cause) AS events
ORDER BY furthest DESC, events DESC, agent LIMIT $limit
