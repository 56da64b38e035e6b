// When the events at these positions were appended; a moment is turned into a position by a few of these look-ups.
// mode: read
// param positions: LIST<INTEGER>
// returns position: INTEGER, timestamp: STRING
UNWIND $positions AS position
MATCH (event:Event {position: position})
RETURN position, event.timestamp AS timestamp
