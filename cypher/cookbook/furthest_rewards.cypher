// Whose rewards reach furthest back?
// Every reward is followed back up to fifty hops, to its nearest 1,000 causes. `furthest` is the largest number of hops to one of these; `events` is the number of different causes of all rewards of the agent.
// mode: read
// span: 1000 of type reward
// param after: INTEGER(0..) = null  only rewards at positions above this; null for the newest 1,000; otherwise the newest 10,000 at most
// param until: INTEGER(0..) = null  only rewards at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, rewards: INTEGER, furthest: INTEGER, events: INTEGER
MATCH (reward:Event) USING INDEX SEEK reward:Event(type, position)
WHERE reward.type = 'reward' AND reward.position > $after AND reward.position <= $until
CALL (reward) {
  MATCH path = (reward)-[:PARENT*1..50]->(cause)
  WITH cause, min(length(path)) AS depth ORDER BY depth LIMIT 1000
  RETURN cause, depth
}
RETURN reward.agent_id AS agent, count(DISTINCT reward) AS rewards, max(depth) AS furthest, count(DISTINCT cause) AS events
ORDER BY furthest DESC, events DESC, agent LIMIT $limit
