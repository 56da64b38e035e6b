// Delete faded signals, except those that an event has moved since their states were read. The caller holds the stream's lock (lock_stream).
// mode: write
// param signals: LIST<LIST<ANY>>  [scope, pattern, position of the last event that moved it, as read before]
// returns deleted: INTEGER
UNWIND $signals AS row
MATCH (signal:Signal {scope: row[0], pattern: row[1]}) WHERE signal.position = row[2]
DETACH DELETE signal
RETURN count(*) AS deleted
