// One cursor a name.
// mode: schema
CREATE CONSTRAINT cursor_name IF NOT EXISTS FOR (cursor:Cursor) REQUIRE cursor.name IS UNIQUE
