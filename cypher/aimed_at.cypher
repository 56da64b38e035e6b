// For each position, the keys (scope:pattern) of the signals that its event moved, and of those that it would have moved if they had not been
// absent. No row for a position without an event.
// mode: read
// param positions: LIST<INTEGER>
// returns position: INTEGER, signals: LIST<STRING>
UNWIND $positions AS position
MATCH (event:Event {position: position})
RETURN position, [signal IN [event.signal] WHERE signal IS NOT NULL] + [(event)-[:MOVED]->(move:Move) | move.signal] AS signals
