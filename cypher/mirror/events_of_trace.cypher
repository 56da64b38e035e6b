// A page of the events of a trace, oldest first.
// mode: read
// param trace_id: STRING
// param scope: STRING = null  only events of this scope, or of the scopes that match a glob; null for every scope
// param after: INTEGER(0..) = 0  only positions above this
// param last: INTEGER(0..)  only positions up to this
// param limit: INTEGER(1..5000) = 1000  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
WITH replace(replace(replace(replace($scope, '.', '\\.'), '**', '#'), '*', '[^.]+'), '#', '[^.]+(\\.[^.]+)*') AS pattern
MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
WHERE event.trace_id = $trace_id AND event.position > $after AND event.position <= $last AND (pattern IS NULL OR event.scope =~ pattern)
WITH event ORDER BY event.position LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id, event.agent_id AS agent_id,
       event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload, event.position AS position
ORDER BY position
