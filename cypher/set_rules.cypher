// Put rules in force. The new tip makes appends fail that were planned under the old rules. The caller holds the stream's lock (lock_stream).
// mode: write
// param tip: STRING  new tip token
// param rules: STRING  JSON list of all rules that were ever in force, in order of their first position
MATCH (stream:Stream {name: 'events'})
SET stream.rules = $rules, stream.tip = $tip
