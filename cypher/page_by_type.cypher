// A page of the events of some types, by position: a page of each type, merged.
// mode: read
// param types: LIST<STRING>  one or more
// param pattern: STRING  regular expression that must match the whole scope; null for every scope
// param traces: LIST<STRING>  only these traces; null for every trace
// param agents: LIST<STRING>  only these agents; null for every agent
// param falling: LIST<INTEGER>  positions between these two, newest first; [0, 0] when the page is oldest first
// param rising: LIST<INTEGER>  positions between these two, oldest first; [0, 0] when the page is newest first
// param limit: INTEGER  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
UNWIND $types AS type
CALL (type) {
  MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
  WHERE event.type = type AND event.position > $falling[0] AND event.position < $falling[1]
    AND ($pattern IS NULL OR event.scope =~ $pattern)
    AND ($traces IS NULL OR event.trace_id IN $traces)
    AND ($agents IS NULL OR event.agent_id IN $agents)
  RETURN event ORDER BY event.type DESC, event.position DESC LIMIT $limit
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
  WHERE event.type = type AND event.position > $rising[0] AND event.position < $rising[1]
    AND ($pattern IS NULL OR event.scope =~ $pattern)
    AND ($traces IS NULL OR event.trace_id IN $traces)
    AND ($agents IS NULL OR event.agent_id IN $agents)
  RETURN event ORDER BY event.type, event.position LIMIT $limit
}
WITH event ORDER BY CASE WHEN $falling[1] > 0 THEN -event.position ELSE event.position END LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
