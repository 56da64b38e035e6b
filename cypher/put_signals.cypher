// Create or overwrite signal states, to repair them from the log. The caller holds the stream's lock (lock_stream).
// The scopes of the signals exist already.
// mode: write
// param signals: LIST<LIST<ANY>>  [scope, pattern, strength, decayed_at, last_updated, position, alpha, lambda, interval], times in milliseconds since 1970, interval in seconds
UNWIND $signals AS row
MERGE (signal:Signal {scope: row[0], pattern: row[1]})
SET signal.strength = row[2], signal.decayed_at = row[3], signal.last_updated = row[4], signal.position = row[5],
    signal.alpha = row[6], signal.lambda = row[7], signal.interval = row[8]
WITH signal
MERGE (scope:Scope {path: signal.scope})
MERGE (signal)-[:AT]->(scope)
