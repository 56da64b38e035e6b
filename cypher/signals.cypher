// A page of the stored signal states, including faded ones, in the order of their keys. `decayed_at` and `last_updated` are milliseconds since
// 1970; `interval` is in seconds.
// mode: read
// param scope: STRING  the scope of the last signal of the page before; "" for the first page
// param pattern: STRING  its pattern
// param limit: INTEGER  rows at most
// returns scope: STRING, pattern: STRING, strength: FLOAT, alpha: FLOAT, lambda: FLOAT, decayed_at: INTEGER, last_updated: INTEGER, position: INTEGER, interval: FLOAT
CALL () {
  MATCH (signal:Signal) WHERE signal.scope = $scope AND signal.pattern > $pattern
  RETURN signal ORDER BY signal.scope, signal.pattern LIMIT $limit
UNION ALL
  MATCH (signal:Signal) WHERE signal.scope > $scope AND signal.pattern IS NOT NULL
  RETURN signal ORDER BY signal.scope, signal.pattern LIMIT $limit
}
WITH signal LIMIT $limit
RETURN signal.scope AS scope, signal.pattern AS pattern, signal.strength AS strength, signal.alpha AS alpha, signal.lambda AS lambda,
       signal.decayed_at AS decayed_at, signal.last_updated AS last_updated, signal.position AS position, signal.interval AS interval
