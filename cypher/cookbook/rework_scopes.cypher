// Which scopes have the most rework?
// Rework is a proposal or ready event that has a penalty among its direct causes. `work` counts all proposals and ready events of the scope.
// mode: read
// span: 10000 events
// param after: INTEGER(0..) = null  only events at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only events at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns scope: STRING, rework: INTEGER, work: INTEGER
MATCH (event:Event) USING INDEX SEEK event:Event(position)
WHERE event.position > $after AND event.position <= $until AND event.type IN ['proposal', 'ready']
WITH event, EXISTS { MATCH (event)-[:PARENT]->(cause) WHERE cause.type = 'penalty' } AS again
WITH event.scope AS scope, count(CASE WHEN again THEN 1 END) AS rework, count(*) AS work
WHERE rework > 0
RETURN scope, rework, work
ORDER BY rework DESC, scope LIMIT $limit
