// The positions of the snapshots in a part of the log, in order.
// mode: read
// param after: INTEGER  positions above this one
// param upto: INTEGER  the highest position
// returns position: INTEGER
MATCH (snapshot:Snapshot) WHERE snapshot.position > $after AND snapshot.position <= $upto
RETURN snapshot.position AS position ORDER BY position
