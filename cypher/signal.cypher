// One stored signal state.
// mode: read
// param scope: STRING
// param pattern: STRING
// returns scope: STRING, pattern: STRING, strength: FLOAT, alpha: FLOAT, lambda: FLOAT, decayed_at: INTEGER, last_updated: INTEGER, position: INTEGER, interval: FLOAT
MATCH (signal:Signal {scope: $scope, pattern: $pattern})
RETURN signal.scope AS scope, signal.pattern AS pattern, signal.strength AS strength, signal.alpha AS alpha, signal.lambda AS lambda,
       signal.decayed_at AS decayed_at, signal.last_updated AS last_updated, signal.position AS position, signal.interval AS interval
