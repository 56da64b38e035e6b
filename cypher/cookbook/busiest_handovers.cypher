// Between which agents does work change hands most often?
// Every edge from a cause to an effect of another agent is a handover. `scopes` is the number of different scopes of these effects.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only effects at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only effects at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns from: STRING, to: STRING, handovers: INTEGER, scopes: INTEGER
MATCH (effect:Event) USING INDEX SEEK effect:Event(position) WHERE effect.position > $after AND effect.position <= $until
MATCH (effect)-[:PARENT]->(cause) WHERE cause.agent_id <> effect.agent_id
RETURN cause.agent_id AS from, effect.agent_id AS to, count(*) AS handovers, count(DISTINCT effect.scope) AS scopes
ORDER BY handovers DESC, from, to LIMIT $limit
