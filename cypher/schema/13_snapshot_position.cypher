// One snapshot a position; serves the nearest before any.
// mode: schema
CREATE CONSTRAINT snapshot_position IF NOT EXISTS FOR (snapshot:Snapshot) REQUIRE snapshot.position IS UNIQUE
