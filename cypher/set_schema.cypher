// The version of the schema this database has; the new tip refuses every batch that was planned before. During a turn.
// mode: write
// param tip: STRING  new tip token
// param schema: INTEGER
MATCH (stream:Stream {name: 'events'})
SET stream.schema = $schema, stream.tip = $tip
