// Take the exclusive turn to append, held until the transaction ends, and read where the log stands.
// mode: write
// param turn: STRING  token of whoever takes it
// returns epoch: STRING, head: INTEGER, tip: STRING, last_timestamp: INTEGER, rules: STRING, schema: INTEGER, clock_shifts: STRING
MATCH (stream:Stream {name: 'events'})
SET stream.locked_by = $turn
RETURN stream.epoch AS epoch, stream.head AS head, stream.tip AS tip, stream.last_timestamp AS last_timestamp,
       stream.rules AS rules, stream.schema AS schema, stream.clock_shifts AS clock_shifts
