// Create or overwrite signal states, for repair from the log. During a turn; their scopes exist.
// mode: write
// param signals: LIST<LIST<ANY>>  [scope, pattern, strength, alpha, lambda, decayed_at, last_updated, position, interval]
UNWIND $signals AS row
MERGE (signal:Signal {scope: row[0], pattern: row[1]})
SET signal.strength = row[2], signal.alpha = row[3], signal.lambda = row[4], signal.decayed_at = row[5],
    signal.last_updated = row[6], signal.position = row[7], signal.interval = row[8]
WITH signal
MERGE (scope:Scope {path: signal.scope})
MERGE (signal)-[:AT]->(scope)
