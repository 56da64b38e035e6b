// Delete faded signal states that no event has touched since they were read. During a turn.
// mode: write
// param signals: LIST<LIST<ANY>>  [scope, pattern, position]
// returns deleted: INTEGER
UNWIND $signals AS row
MATCH (signal:Signal {scope: row[0], pattern: row[1]}) WHERE signal.position = row[2]
DETACH DELETE signal
RETURN count(*) AS deleted
