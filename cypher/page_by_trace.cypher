// A page of the events of one trace, by position.
// mode: read
// param trace_id: STRING
// param types: LIST<STRING>  only events of these types; null for every type
// param agent_id: STRING  only this agent; null for every agent
// param falling: LIST<INTEGER>  positions between these two, newest first; [0, 0] when the page is oldest first
// param rising: LIST<INTEGER>  positions between these two, oldest first; [0, 0] when the page is newest first
// param limit: INTEGER  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
CALL () {
  MATCH (event:Event)
  WHERE event.trace_id = $trace_id AND event.position > $falling[0] AND event.position < $falling[1]
    AND ($types IS NULL OR event.type IN $types)
    AND ($agent_id IS NULL OR event.agent_id = $agent_id)
  RETURN event ORDER BY event.trace_id DESC, event.position DESC LIMIT $limit
UNION ALL
  MATCH (event:Event)
  WHERE event.trace_id = $trace_id AND event.position > $rising[0] AND event.position < $rising[1]
    AND ($types IS NULL OR event.type IN $types)
    AND ($agent_id IS NULL OR event.agent_id = $agent_id)
  RETURN event ORDER BY event.trace_id, event.position LIMIT $limit
}
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
