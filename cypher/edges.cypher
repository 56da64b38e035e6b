// For each access path that is asked about, and each of its values: how many of its next events there are, up to $look, and the last of them.
// `edge` is null when there are none. Only the indexes are read. A path that is not asked about has no values.
// mode: read
// param traces: LIST<STRING>
// param agents: LIST<STRING>
// param scopes: LIST<STRING>
// param types: LIST<STRING>
// param whole: LIST<STRING>  one value of any kind to ask about the whole log, else none
// param falling: LIST<INTEGER>  positions between these two, newest first; [0, 0] when the page is oldest first
// param rising: LIST<INTEGER>  positions between these two, oldest first; [0, 0] when the page is newest first
// param look: MAP  by path: events to look at for each value, at most
// returns path: STRING, entries: INTEGER, edge: INTEGER
UNWIND $traces AS trace
CALL (trace) {
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
  WHERE event.trace_id = trace AND event.position > $falling[0] AND event.position < $falling[1]
  WITH event.position AS position ORDER BY event.trace_id DESC, event.position DESC LIMIT $look.trace
  RETURN count(position) AS entries, min(position) AS edge
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(trace_id, position)
  WHERE event.trace_id = trace AND event.position > $rising[0] AND event.position < $rising[1]
  WITH event.position AS position ORDER BY event.trace_id, event.position LIMIT $look.trace
  RETURN count(position) AS entries, max(position) AS edge
}
RETURN 'trace' AS path, entries, edge
UNION ALL
UNWIND $agents AS agent
CALL (agent) {
  MATCH (event:Event) USING INDEX SEEK event:Event(agent_id, position)
  WHERE event.agent_id = agent AND event.position > $falling[0] AND event.position < $falling[1]
  WITH event.position AS position ORDER BY event.agent_id DESC, event.position DESC LIMIT $look.agent
  RETURN count(position) AS entries, min(position) AS edge
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(agent_id, position)
  WHERE event.agent_id = agent AND event.position > $rising[0] AND event.position < $rising[1]
  WITH event.position AS position ORDER BY event.agent_id, event.position LIMIT $look.agent
  RETURN count(position) AS entries, max(position) AS edge
}
RETURN 'agent' AS path, entries, edge
UNION ALL
UNWIND $scopes AS scope
CALL (scope) {
  MATCH (event:Event) USING INDEX SEEK event:Event(scope, position)
  WHERE event.scope = scope AND event.position > $falling[0] AND event.position < $falling[1]
  WITH event.position AS position ORDER BY event.scope DESC, event.position DESC LIMIT $look.scope
  RETURN count(position) AS entries, min(position) AS edge
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(scope, position)
  WHERE event.scope = scope AND event.position > $rising[0] AND event.position < $rising[1]
  WITH event.position AS position ORDER BY event.scope, event.position LIMIT $look.scope
  RETURN count(position) AS entries, max(position) AS edge
}
RETURN 'scope' AS path, entries, edge
UNION ALL
UNWIND $types AS type
CALL (type) {
  MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
  WHERE event.type = type AND event.position > $falling[0] AND event.position < $falling[1]
  WITH event.position AS position ORDER BY event.type DESC, event.position DESC LIMIT $look.type
  RETURN count(position) AS entries, min(position) AS edge
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
  WHERE event.type = type AND event.position > $rising[0] AND event.position < $rising[1]
  WITH event.position AS position ORDER BY event.type, event.position LIMIT $look.type
  RETURN count(position) AS entries, max(position) AS edge
}
RETURN 'type' AS path, entries, edge
UNION ALL
UNWIND $whole AS every
CALL (every) {
  MATCH (event:Event) USING INDEX SEEK event:Event(position)
  WHERE event.position > $falling[0] AND event.position < $falling[1]
  WITH event.position AS position ORDER BY event.position DESC LIMIT $look.position
  RETURN count(position) AS entries, min(position) AS edge
UNION ALL
  MATCH (event:Event) USING INDEX SEEK event:Event(position)
  WHERE event.position > $rising[0] AND event.position < $rising[1]
  WITH event.position AS position ORDER BY event.position LIMIT $look.position
  RETURN count(position) AS entries, max(position) AS edge
}
RETURN 'position' AS path, entries, edge
