// The position of the newest snapshot of all signals at or below a position, and how many it has. No row when there is none.
// mode: read
// param upto: INTEGER  the position
// returns position: INTEGER, signals: INTEGER
MATCH (snapshot:Snapshot) WHERE snapshot.position <= $upto
RETURN snapshot.position AS position, snapshot.signals AS signals ORDER BY snapshot.position DESC LIMIT 1
