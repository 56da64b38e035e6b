// Create the stream node of a new database. One that exists already is not changed.
// mode: write
// param epoch: STRING  UUID of the new log
// param tip: STRING  first tip token
// param rules: STRING  JSON list of the rules in force
// param schema: INTEGER  version of the schema
MERGE (stream:Stream {name: 'events'})
ON CREATE SET stream.epoch = $epoch, stream.head = 0, stream.tip = $tip, stream.last_timestamp = 0, stream.rules = $rules,
              stream.schema = $schema
