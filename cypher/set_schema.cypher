// Set the schema version of this database. The new tip makes appends fail that were planned before. The caller holds the stream's lock (lock_stream).
// mode: write
// param tip: STRING  new tip token
// param schema: INTEGER  version of the schema
MATCH (stream:Stream {name: 'events'})
SET stream.schema = $schema, stream.tip = $tip
