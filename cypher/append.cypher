// Append a batch: events with their causes and traces, and the new states of the signals they move. Writes nothing and returns no
// row when the log's tip is not the one the batch was planned on. The first SET takes the stream's lock, before anything is read.
// FOREACH, since it needs no Eager: a parent is known to be there (events are never deleted), so its MERGE only finds it.
// mode: write
// param after: STRING  tip token the batch was planned on
// param tip: STRING  tip token of this batch
// param head: INTEGER  position of the last event
// param timestamp: INTEGER  milliseconds since 1970 of the batch
// param clock_shifts: STRING  JSON list of how far timestamps were ahead of the clock, see docs/decisions/0017; null when they never were
// param events: LIST<LIST<ANY>>  [id, position, type, scope, trace_id, agent_id, timestamp, payload, parent_ids, action, nearest, distance, answers, signal, before, after, share] and, where there are any, [credited, shares, further moves as [signal, before, after, share]]; an empty list is sent as null
// param signals: LIST<LIST<ANY>>  [scope, pattern, strength, decayed_at, last_updated, position]
// param born: LIST<LIST<ANY>>  [scope, pattern, alpha, lambda, interval] of those signals that were absent before
// param scopes: LIST<LIST<ANY>>  [path, [path of the scope above] or []] of scopes that may be new, outer ones first
// returns head: INTEGER
MATCH (stream:Stream {name: 'events'})
SET stream.locked_by = $tip
WITH stream WHERE stream.tip = $after
SET stream.tip = $tip, stream.head = $head, stream.last_timestamp = $timestamp, stream.clock_shifts = $clock_shifts
FOREACH (row IN $scopes |
  MERGE (scope:Scope {path: row[0]})
  FOREACH (path IN row[1] |
    MERGE (above:Scope {path: path})
    MERGE (scope)-[:WITHIN]->(above)))
FOREACH (row IN $events |
  MERGE (trace:Trace {id: row[4]})
  CREATE (event:Event {
    id: row[0], position: row[1], type: row[2], scope: row[3], trace_id: row[4], agent_id: row[5], timestamp: row[6],
    payload: row[7], parent_ids: row[8], action: row[9], nearest: row[10], distance: row[11], answers: row[12],
    signal: row[13], before: row[14], after: row[15], share: row[16], credited: row[17], shares: row[18]
  })-[:TRACE]->(trace)
  FOREACH (id IN row[8] |
    MERGE (parent:Event {id: id})
    CREATE (event)-[:PARENT]->(parent))
  FOREACH (move IN row[19] |
    CREATE (event)-[:MOVED]->(:Move {signal: move[0], position: row[1], before: move[1], after: move[2], share: move[3]})))
FOREACH (row IN $signals |
  MERGE (signal:Signal {scope: row[0], pattern: row[1]})
  SET signal.strength = row[2], signal.decayed_at = row[3], signal.last_updated = row[4], signal.position = row[5])
FOREACH (row IN $born |
  MERGE (scope:Scope {path: row[0]})
  MERGE (signal:Signal {scope: row[0], pattern: row[1]})
  SET signal.alpha = row[2], signal.lambda = row[3], signal.interval = row[4]
  MERGE (signal)-[:AT]->(scope))
RETURN stream.head AS head
