// There is one snapshot for each position. The index also finds the newest one up to a position.
// mode: schema
CREATE CONSTRAINT snapshot_position IF NOT EXISTS FOR (snapshot:Snapshot) REQUIRE snapshot.position IS UNIQUE
