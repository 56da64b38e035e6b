// Append a batch: events with their causes and traces, and the new states of the signals that they move.
// When the tip of the log is not $after, the batch was planned on an outdated state; then nothing is written, and there is no row.
// The first SET takes the write lock of the stream node before anything is read, so the database puts all appends in one order.
// FOREACH is used because its plan needs no Eager operator (docs/decisions/0004). MERGE on a parent always finds it: the parents were checked
// before, and events are never deleted.
// mode: write
// param after: STRING  tip token of the state that the batch was planned on
// param tip: STRING  new tip token, made for this batch
// param head: INTEGER  position of the last event of the batch
// param timestamp: INTEGER  of the batch, milliseconds since 1970
// param clock_shifts: STRING  JSON list: how far timestamps have been ahead of the clock (docs/decisions/0017); null when they never were
// param events: LIST<LIST<ANY>>  [id, position, type, scope, trace_id, agent_id, timestamp, payload, parent_ids, action, nearest, distance, answers, signal, before, after, share]; an event with credit or further moves has three values more: credited, shares, further moves as [signal, before, after, share]. parent_ids, nearest, credited and shares are null instead of empty
// param signals: LIST<LIST<ANY>>  [scope, pattern, strength, decayed_at, last_updated, position], times in milliseconds since 1970
// param born: LIST<LIST<ANY>>  [scope, pattern, alpha, lambda, interval in seconds] of those signals that were absent before
// param scopes: LIST<LIST<ANY>>  [path, [path of the parent scope] or []] of scopes that may be new, parents before children
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
