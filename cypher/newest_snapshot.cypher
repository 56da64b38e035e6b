// Where the newest snapshot of the field of signals up to a position is.
// mode: read
// param upto: INTEGER
// returns position: INTEGER
MATCH (snapshot:Snapshot) WHERE snapshot.position <= $upto
RETURN snapshot.position AS position ORDER BY snapshot.position DESC LIMIT 1
