// Make the stream node of a new database; one that is there stays as it is.
// mode: write
// param epoch: STRING  UUID
// param tip: STRING  first tip token
// param rules: STRING  JSON list of the rules in force
// param schema: INTEGER  version of the schema
MERGE (stream:Stream {name: 'events'})
ON CREATE SET stream.epoch = $epoch, stream.head = 0, stream.tip = $tip, stream.last_timestamp = 0, stream.rules = $rules,
              stream.schema = $schema
