// The state of the log. `last_timestamp` is in milliseconds since 1970. No row in a database without a log.
// mode: read
// returns epoch: STRING, head: INTEGER, tip: STRING, last_timestamp: INTEGER, rules: STRING, schema: INTEGER, clock_shifts: STRING
MATCH (stream:Stream {name: 'events'})
RETURN stream.epoch AS epoch, stream.head AS head, stream.tip AS tip, stream.last_timestamp AS last_timestamp,
       stream.rules AS rules, stream.schema AS schema, stream.clock_shifts AS clock_shifts
