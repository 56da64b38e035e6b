// A page of the log, oldest first.
// mode: read
// param after: INTEGER(0..) = 0  only positions above this
// param last: INTEGER(0..)  only positions up to this
// param limit: INTEGER(1..5000) = 1000  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
MATCH (event:Event) WHERE event.position > $after AND event.position <= $last
WITH event ORDER BY event.position LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id, event.agent_id AS agent_id,
       event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload, event.position AS position
ORDER BY position
