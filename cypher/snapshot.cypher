// The newest snapshot of all signals at or below a position. `timestamp` is in milliseconds since 1970; `field` is described in put_snapshot.
// No row when there is none.
// mode: read
// param upto: INTEGER  the position
// returns position: INTEGER, timestamp: INTEGER, field: BYTES
MATCH (snapshot:Snapshot) WHERE snapshot.position <= $upto
RETURN snapshot.position AS position, snapshot.timestamp AS timestamp, snapshot.field AS field
ORDER BY snapshot.position DESC LIMIT 1
