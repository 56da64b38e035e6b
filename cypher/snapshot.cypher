// The newest snapshot of the field of signals up to a position.
// mode: read
// param upto: INTEGER
// returns position: INTEGER, timestamp: INTEGER, field: BYTES
MATCH (snapshot:Snapshot) WHERE snapshot.position <= $upto
RETURN snapshot.position AS position, snapshot.timestamp AS timestamp, snapshot.field AS field
ORDER BY snapshot.position DESC LIMIT 1
