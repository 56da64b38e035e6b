// Which log is this, and how far does it go?
// mode: read
// returns epoch: STRING, position: INTEGER
MATCH (stream:Stream {name: 'events'})
RETURN stream.epoch AS epoch, stream.head AS position
