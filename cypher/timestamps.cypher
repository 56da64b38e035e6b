// The timestamps of the events at these positions. A few such look-ups find the position that belongs to a given time.
// No row for a position without an event.
// mode: read
// param positions: LIST<INTEGER>
// returns position: INTEGER, timestamp: STRING
UNWIND $positions AS position
MATCH (event:Event {position: position})
RETURN position, event.timestamp AS timestamp
