// Who rewards whose proposals?
// A reward counts for the nearest proposals among its causes. If there are none, it counts for the newest proposal of its trace and scope.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns giver: STRING, receiver: STRING, rewards: INTEGER
MATCH (reward:Event) WHERE reward.position > $after AND reward.type = 'reward'
UNWIND coalesce(reward.nearest, []) + coalesce(reward.answers, []) AS position
MATCH (proposal:Event {position: position})
RETURN reward.agent_id AS giver, proposal.agent_id AS receiver, count(*) AS rewards
ORDER BY rewards DESC, giver, receiver LIMIT $limit
