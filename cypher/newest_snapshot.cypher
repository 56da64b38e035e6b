// The position of the newest snapshot of all signals at or below a position. No row when there is none.
// mode: read
// param upto: INTEGER  the position
// returns position: INTEGER
MATCH (snapshot:Snapshot) WHERE snapshot.position <= $upto
RETURN snapshot.position AS position ORDER BY snapshot.position DESC LIMIT 1
