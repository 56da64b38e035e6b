// When was the event at a position appended?
// mode: read
// param position: INTEGER(1..)
// returns timestamp: STRING
MATCH (event:Event {position: $position})
RETURN event.timestamp AS timestamp
