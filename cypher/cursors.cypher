// The cursors whose names start with a prefix, in order of name.
// mode: read
// param prefix: STRING = ""  empty for all cursors
// returns name: STRING, epoch: STRING, position: INTEGER
MATCH (cursor:Cursor) WHERE cursor.name STARTS WITH $prefix
RETURN cursor.name AS name, cursor.epoch AS epoch, cursor.position AS position
ORDER BY name
