// Who rewards whose proposals?
// A reward counts for the proposals nearest to it among its causes, or for the newest of its trace and scope where it names none.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20
// returns giver: STRING, receiver: STRING, rewards: INTEGER
MATCH (reward:Event) WHERE reward.position > $after AND reward.type = 'reward'
UNWIND coalesce(reward.nearest, []) + coalesce(reward.answers, []) AS position
MATCH (proposal:Event {position: position})
RETURN reward.agent_id AS giver, proposal.agent_id AS receiver, count(*) AS rewards
ORDER BY rewards DESC, giver, receiver LIMIT $limit
