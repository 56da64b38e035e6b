// Where the log stands; no row in a database that has none.
// mode: read
// returns epoch: STRING, head: INTEGER, tip: STRING, last_timestamp: INTEGER, rules: STRING, schema: INTEGER, clock_shifts: STRING
MATCH (stream:Stream {name: 'events'})
RETURN stream.epoch AS epoch, stream.head AS head, stream.tip AS tip, stream.last_timestamp AS last_timestamp,
       stream.rules AS rules, stream.schema AS schema, stream.clock_shifts AS clock_shifts
