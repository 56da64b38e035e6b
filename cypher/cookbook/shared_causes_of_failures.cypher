// What do the failures of a scope have in common?
// Events that led to more than one penalty: each is followed back up to twenty hops, to its nearest 1,000 causes. Those that led to the most penalties come first, then the latest.
// mode: read
// span: 1000 of type penalty
// param after: INTEGER(0..) = null  only penalties at positions above this; null for the newest 1,000; otherwise the newest 10,000 at most
// param until: INTEGER(0..) = null  only penalties at positions up to this; null for the newest of the log
// param scope: STRING = null  of these penalties, only those in this scope; null for every scope
// param limit: INTEGER(1..1000) = 20  rows at most
// returns id: STRING, type: STRING, agent: STRING, scope: STRING, action: STRING, failures: INTEGER, of: INTEGER
MATCH (penalty:Event) USING INDEX SEEK penalty:Event(type, position)
WHERE penalty.type = 'penalty' AND penalty.position > $after AND penalty.position <= $until AND ($scope IS NULL OR penalty.scope = $scope)
WITH collect(penalty) AS penalties
UNWIND penalties AS penalty
CALL (penalty) {
  MATCH (penalty)-[:PARENT*1..20]->(cause)
  WITH DISTINCT cause LIMIT 1000
  RETURN cause
}
WITH cause, count(*) AS failures, size(penalties) AS of
WHERE failures > 1
RETURN cause.id AS id, cause.type AS type, cause.agent_id AS agent, cause.scope AS scope, cause.action AS action, failures, of
ORDER BY failures DESC, cause.position DESC LIMIT $limit
