// The position of a cursor, and the epoch of the log that it belongs to. No row when there is no such cursor.
// mode: read
// param name: STRING
// returns name: STRING, epoch: STRING, position: INTEGER
MATCH (cursor:Cursor {name: $name})
RETURN cursor.name AS name, cursor.epoch AS epoch, cursor.position AS position
