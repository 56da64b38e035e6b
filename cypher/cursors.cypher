// The cursors whose names begin so, by name.
// mode: read
// param prefix: STRING = ""  empty for all
// returns name: STRING, epoch: STRING, position: INTEGER
MATCH (cursor:Cursor) WHERE cursor.name STARTS WITH $prefix
RETURN cursor.name AS name, cursor.epoch AS epoch, cursor.position AS position
ORDER BY name
