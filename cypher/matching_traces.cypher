// The traces of the events of some scopes and of some types, for each of both separately, among $look events of each scope and type.
// mode: read
// param scopes: LIST<STRING>
// param types: LIST<STRING>
// param only: LIST<STRING>  of the events of the scopes, only those of these types; null for every type
// param pattern: STRING  of the events of the types, only those in scopes that this regular expression matches; null for every scope
// param until: INTEGER  events at higher positions do not count
// param look: INTEGER  events to look at for each scope and type, at most
// returns path: STRING, looked: INTEGER, traces: LIST<STRING>
UNWIND $scopes AS scope
CALL (scope) {
  MATCH (event:Event) USING INDEX SEEK event:Event(scope, position)
  WHERE event.scope = scope AND event.position > 0 AND event.position <= $until
  WITH event LIMIT $look
  RETURN count(event) AS looked, collect(DISTINCT CASE WHEN $only IS NULL OR event.type IN $only THEN event.trace_id END) AS traces
}
RETURN 'scope' AS path, looked, traces
UNION ALL
UNWIND $types AS type
CALL (type) {
  MATCH (event:Event) USING INDEX SEEK event:Event(type, position)
  WHERE event.type = type AND event.position > 0 AND event.position <= $until
  WITH event LIMIT $look
  RETURN count(event) AS looked, collect(DISTINCT CASE WHEN $pattern IS NULL OR event.scope =~ $pattern THEN event.trace_id END) AS traces
}
RETURN 'type' AS path, looked, traces
