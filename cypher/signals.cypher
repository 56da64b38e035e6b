// All stored signal states, including faded ones. `decayed_at` and `last_updated` are milliseconds since 1970; `interval` is in seconds.
// mode: read
// returns scope: STRING, pattern: STRING, strength: FLOAT, alpha: FLOAT, lambda: FLOAT, decayed_at: INTEGER, last_updated: INTEGER, position: INTEGER, interval: FLOAT
MATCH (signal:Signal)
RETURN signal.scope AS scope, signal.pattern AS pattern, signal.strength AS strength, signal.alpha AS alpha, signal.lambda AS lambda,
       signal.decayed_at AS decayed_at, signal.last_updated AS last_updated, signal.position AS position, signal.interval AS interval
