// Delete a cursor; the number deleted, 0 when there is none.
// mode: write
// param name: STRING
// returns deleted: INTEGER
MATCH (cursor:Cursor {name: $name})
DELETE cursor
RETURN count(*) AS deleted
