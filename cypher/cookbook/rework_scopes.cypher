// Which scopes have the most rework?
// Rework is a proposal or ready event that has a penalty among its direct causes. `work` counts all proposals and ready events of the scope.
// mode: read
// param after: INTEGER(0..) = 0  only events at positions above this
// param limit: INTEGER(1..1000) = 20  rows at most
// returns scope: STRING, rework: INTEGER, work: INTEGER
MATCH (event:Event) WHERE event.position > $after AND event.type IN ['proposal', 'ready']
WITH event, EXISTS { MATCH (event)-[:PARENT]->(cause) WHERE cause.type = 'penalty' } AS again
WITH event.scope AS scope, count(CASE WHEN again THEN 1 END) AS rework, count(*) AS work
WHERE rework > 0
RETURN scope, rework, work
ORDER BY rework DESC, scope LIMIT $limit
