// Whose rewards reach furthest back?
// Every reward is followed back fifty causes; `furthest` is the most hops to any of them, `events` how many events all its rewards honour.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20
// returns agent: STRING, rewards: INTEGER, furthest: INTEGER, events: INTEGER
MATCH (reward:Event) WHERE reward.position > $after AND reward.type = 'reward'
CALL (reward) {
  MATCH path = (reward)-[:PARENT*1..50]->(cause)
  RETURN cause, min(length(path)) AS depth
}
RETURN reward.agent_id AS agent, count(DISTINCT reward) AS rewards, max(depth) AS furthest, count(DISTINCT cause) AS events
ORDER BY furthest DESC, events DESC, agent LIMIT $limit
