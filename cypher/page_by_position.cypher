// A page of the log, by position.
// mode: read
// param types: LIST<STRING>  only events of these types; null for every type
// param pattern: STRING  regular expression that must match the whole scope; null for every scope
// param traces: LIST<STRING>  only these traces; null for every trace
// param agents: LIST<STRING>  only these agents; null for every agent
// param falling: LIST<INTEGER>  positions between these two, newest first; [0, 0] when the page is oldest first
// param rising: LIST<INTEGER>  positions between these two, oldest first; [0, 0] when the page is newest first
// param limit: INTEGER  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(position)
  WHERE event.position > $falling[0] AND event.position < $falling[1]
    AND ($types IS NULL OR event.type IN $types)
    AND ($pattern IS NULL OR event.scope =~ $pattern)
    AND ($traces IS NULL OR event.trace_id IN $traces)
    AND ($agents IS NULL OR event.agent_id IN $agents)
  RETURN event ORDER BY event.position DESC LIMIT $limit
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(position)
  WHERE event.position > $rising[0] AND event.position < $rising[1]
    AND ($types IS NULL OR event.type IN $types)
    AND ($pattern IS NULL OR event.scope =~ $pattern)
    AND ($traces IS NULL OR event.trace_id IN $traces)
    AND ($agents IS NULL OR event.agent_id IN $agents)
  RETURN event ORDER BY event.position LIMIT $limit
}
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
