// Put rules in force; the new tip refuses every batch that was planned under the old ones. During a turn.
// mode: write
// param tip: STRING  new tip token
// param rules: STRING  JSON list of the rules
MATCH (stream:Stream {name: 'events'})
SET stream.rules = $rules, stream.tip = $tip
