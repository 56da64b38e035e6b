// Between which agents does work change hands most often?
// Every edge from a cause to an effect of another agent is a handover. `scopes` is the number of different scopes of these effects.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns from: STRING, to: STRING, handovers: INTEGER, scopes: INTEGER
MATCH (effect:Event) WHERE effect.position > $after
MATCH (effect)-[:PARENT]->(cause) WHERE cause.agent_id <> effect.agent_id
RETURN cause.agent_id AS from, effect.agent_id AS to, count(*) AS handovers, count(DISTINCT effect.scope) AS scopes
ORDER BY handovers DESC, from, to LIMIT $limit
