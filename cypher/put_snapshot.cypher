// Store a snapshot: all signals as they were right after the event at a position. Safe to repeat: there is one snapshot for each position.
// Nothing is written when the log has another epoch or ends before the position: then it is not the log that the snapshot was taken of.
// mode: write
// param epoch: STRING  of the log that the snapshot was taken of
// param position: INTEGER
// param timestamp: INTEGER  of the event at the position, milliseconds since 1970
// param field: BYTES  zlib-compressed JSON list of [scope, pattern, strength, alpha, lambda, decayed_at, last_updated, position, interval], times in milliseconds since 1970, interval in seconds
// param signals: INTEGER  number of signals in `field`
MATCH (stream:Stream {name: 'events'}) WHERE stream.epoch = $epoch AND stream.head >= $position
MERGE (snapshot:Snapshot {position: $position})
SET snapshot.timestamp = $timestamp, snapshot.field = $field, snapshot.signals = $signals
