// Keep the whole field of signals as it was right after the event at a position; the same position twice is one snapshot.
// A log of another epoch, or one that does not reach there, was put in the place of the one it was taken of: then nothing is written.
// mode: write
// param epoch: STRING
// param position: INTEGER
// param timestamp: INTEGER  milliseconds since 1970
// param field: BYTES  zlib-compressed JSON list of [scope, pattern, strength, alpha, lambda, decayed_at, last_updated, position, interval]
// param signals: INTEGER  how many
MATCH (stream:Stream {name: 'events'}) WHERE stream.epoch = $epoch AND stream.head >= $position
MERGE (snapshot:Snapshot {position: $position})
SET snapshot.timestamp = $timestamp, snapshot.field = $field, snapshot.signals = $signals
