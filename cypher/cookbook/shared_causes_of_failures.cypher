// What do the failures of a scope have in common?
// Events that led to more than one penalty, within twenty hops. Those that led to the most penalties come first, then the latest.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param scope: STRING = null  only penalties in this scope; null for every scope
// param limit: INTEGER(1..1000) = 20  rows at most
// returns id: STRING, type: STRING, agent: STRING, scope: STRING, action: STRING, failures: INTEGER, of: INTEGER
MATCH (penalty:Event) WHERE penalty.position > $after AND penalty.type = 'penalty' AND ($scope IS NULL OR penalty.scope = $scope)
WITH collect(penalty) AS penalties
UNWIND penalties AS penalty
CALL (penalty) {
  MATCH (penalty)-[:PARENT*1..20]->(cause)
  RETURN DISTINCT cause
}
WITH cause, count(*) AS failures, size(penalties) AS of
WHERE failures > 1
RETURN cause.id AS id, cause.type AS type, cause.agent_id AS agent, cause.scope AS scope, cause.action AS action, failures, of
ORDER BY failures DESC, cause.position DESC LIMIT $limit
