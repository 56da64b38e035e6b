// The events of a trace in log order. `payload` is null, except for the types in $valued: their payload says how far they raise or lower a signal.
// mode: read
// param trace_id: STRING
// param after: INTEGER  only positions above this
// param limit: INTEGER = 1000  rows at most
// param valued: LIST<STRING> = ["reward","penalty","cancel"]  event types that raise or lower signals
// returns id: STRING, type: STRING, scope: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, position: INTEGER, payload: STRING
MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
WHERE event.trace_id = $trace_id AND event.position > $after
WITH event ORDER BY event.trace_id, event.position LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.agent_id AS agent_id, event.parent_ids AS parent_ids,
       event.timestamp AS timestamp, event.position AS position,
       CASE WHEN event.type IN $valued THEN event.payload END AS payload
