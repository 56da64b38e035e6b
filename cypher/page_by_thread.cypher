// A page of the events of some threads and types, by position: a page of each, merged.
// mode: read
// param threads: LIST<LIST<STRING>>  [trace_id, scope, type]
// param falling: LIST<INTEGER>  positions between these two, newest first; [0, 0] when the page is oldest first
// param rising: LIST<INTEGER>  positions between these two, oldest first; [0, 0] when the page is newest first
// param limit: INTEGER  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER
UNWIND $threads AS thread
CALL (thread) {
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, type, scope, position)
  WHERE event.trace_id = thread[0] AND event.type = thread[2] AND event.scope = thread[1]
    AND event.position > $falling[0] AND event.position < $falling[1]
  RETURN event ORDER BY event.trace_id DESC, event.type DESC, event.scope DESC, event.position DESC LIMIT $limit
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, type, scope, position)
  WHERE event.trace_id = thread[0] AND event.type = thread[2] AND event.scope = thread[1]
    AND event.position > $rising[0] AND event.position < $rising[1]
  RETURN event ORDER BY event.trace_id, event.type, event.scope, event.position LIMIT $limit
}
WITH event ORDER BY CASE WHEN $falling[1] > 0 THEN -event.position ELSE event.position END LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position
