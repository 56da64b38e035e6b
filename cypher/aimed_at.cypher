// The signals that events moved, or would have moved had they been there.
// mode: read
// param positions: LIST<INTEGER>
// returns position: INTEGER, signals: LIST<STRING>
UNWIND $positions AS position
MATCH (event:Event {position: position})
RETURN position, [signal IN [event.signal] WHERE signal IS NOT NULL] + [(event)-[:MOVED]->(move:Move) | move.signal] AS signals
