// Who rewards whose proposals?
// A reward counts for the nearest proposals among its causes. If there are none, it counts for the newest proposal of its trace and scope.
// mode: read
// span: 1000 of type reward
// param after: INTEGER(0..) = null  only rewards at positions above this; null for the newest 1,000; otherwise the newest 10,000 at most
// param until: INTEGER(0..) = null  only rewards at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns giver: STRING, receiver: STRING, rewards: INTEGER
MATCH (reward:Event) USING INDEX SEEK reward:Event(type, position)
WHERE reward.type = 'reward' AND reward.position > $after AND reward.position <= $until
UNWIND coalesce(reward.nearest, []) + coalesce(reward.answers, []) AS position
MATCH (proposal:Event {position: position})
RETURN reward.agent_id AS giver, proposal.agent_id AS receiver, count(*) AS rewards
ORDER BY rewards DESC, giver, receiver LIMIT $limit
