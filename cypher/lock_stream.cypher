// Take the exclusive right to append, and read the state of the log. The SET takes the write lock of the stream node, which is held until the
// transaction ends. `last_timestamp` is in milliseconds since 1970. No row in a database without a log.
// mode: write
// param turn: STRING  unique token of the caller; writing it takes the lock
// returns epoch: STRING, head: INTEGER, tip: STRING, last_timestamp: INTEGER, rules: STRING, schema: INTEGER, clock_shifts: STRING
MATCH (stream:Stream {name: 'events'})
SET stream.locked_by = $turn
RETURN stream.epoch AS epoch, stream.head AS head, stream.tip AS tip, stream.last_timestamp AS last_timestamp,
       stream.rules AS rules, stream.schema AS schema, stream.clock_shifts AS clock_shifts
