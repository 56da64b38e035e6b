// Which log is this, and what is its last position?
// mode: read
// returns epoch: STRING, position: INTEGER
MATCH (stream:Stream {name: 'events'})
RETURN stream.epoch AS epoch, stream.head AS position
