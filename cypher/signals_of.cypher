// The stored states of some signals. Signals that are not stored have no row.
// mode: read
// param keys: LIST<LIST<STRING>>  [scope, pattern] of each
// returns scope: STRING, pattern: STRING, strength: FLOAT, alpha: FLOAT, lambda: FLOAT, decayed_at: INTEGER, last_updated: INTEGER, position: INTEGER, interval: FLOAT
UNWIND $keys AS key
MATCH (signal:Signal {scope: key[0], pattern: key[1]})
RETURN signal.scope AS scope, signal.pattern AS pattern, signal.strength AS strength, signal.alpha AS alpha, signal.lambda AS lambda,
       signal.decayed_at AS decayed_at, signal.last_updated AS last_updated, signal.position AS position, signal.interval AS interval
