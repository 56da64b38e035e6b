// Where a cursor stands; no row when there is none.
// mode: read
// param name: STRING
// returns name: STRING, epoch: STRING, position: INTEGER
MATCH (cursor:Cursor {name: $name})
RETURN cursor.name AS name, cursor.epoch AS epoch, cursor.position AS position
