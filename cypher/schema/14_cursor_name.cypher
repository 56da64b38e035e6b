// There is one cursor for each name.
// mode: schema
CREATE CONSTRAINT cursor_name IF NOT EXISTS FOR (cursor:Cursor) REQUIRE cursor.name IS UNIQUE
