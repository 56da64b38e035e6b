// A page of the events of a scope, or of all scopes that match a glob, oldest first.
// mode: read
// param scope: STRING  a scope or a glob: * matches one segment, ** at the end matches one or more
// param after: INTEGER(0..) = 0  only positions above this
// param last: INTEGER(0..)  only positions up to this
// param limit: INTEGER(1..5000) = 1000  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
WITH split($scope, '*')[0] AS prefix,
     replace(replace(replace(replace($scope, '.', '\\.'), '**', '#'), '*', '[^.]+'), '#', '[^.]+(\\.[^.]+)*') AS pattern
MATCH (scope:Scope) WHERE scope.path STARTS WITH prefix AND scope.path =~ pattern
CALL (scope) {
  MATCH (event:Event) USING INDEX SEEK event:Event(scope, position)
  WHERE event.scope = scope.path AND event.position > $after AND event.position <= $last
  RETURN event ORDER BY event.scope, event.position LIMIT $limit
}
WITH event ORDER BY event.position LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id, event.agent_id AS agent_id,
       event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload, event.position AS position
ORDER BY position
