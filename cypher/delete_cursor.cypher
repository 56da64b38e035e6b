// Delete a cursor. `deleted` is 1, or 0 when there was none.
// mode: write
// param name: STRING
// returns deleted: INTEGER
MATCH (cursor:Cursor {name: $name})
DELETE cursor
RETURN count(*) AS deleted
