// Move a cursor on, or make it. Nothing is written when the log is not the one of `epoch` or ends before the position (`reached` false), or when
// the lease's token is not the current one (`allowed` false). A cursor of another log, and one that is as far already, move only `back`.
// The lock of the lease is taken before its token is read, and held until the cursor has moved: whoever takes the lease next finds it moved.
// mode: write
// param name: STRING
// param epoch: STRING
// param position: INTEGER
// param back: BOOLEAN  whether it may move back, or over from another log
// param lease: STRING  name, or null to move it without one
// param token: INTEGER  of the lease; null without one
// returns reached: BOOLEAN, allowed: BOOLEAN, epoch: STRING, position: INTEGER
MATCH (stream:Stream {name: 'events'})
OPTIONAL MATCH (lease:Lease {name: $lease})
FOREACH (held IN CASE WHEN lease IS NULL THEN [] ELSE [lease] END | SET held.locked_by = $token)
WITH stream.epoch = $epoch AND stream.head >= $position AS reached,
     $lease IS NULL OR coalesce(lease.token = $token AND lease.holder IS NOT NULL, false) AS allowed
FOREACH (_ IN CASE WHEN reached AND allowed THEN [true] ELSE [] END |
  MERGE (made:Cursor {name: $name})
  ON CREATE SET made.epoch = $epoch, made.position = $position
  SET made.locked_by = $position)
WITH reached, allowed
OPTIONAL MATCH (cursor:Cursor {name: $name})
FOREACH (moved IN CASE WHEN reached AND allowed AND ($back OR (cursor.epoch = $epoch AND cursor.position < $position)) THEN [cursor] ELSE [] END |
  SET moved.epoch = $epoch, moved.position = $position)
RETURN reached, allowed, cursor.epoch AS epoch, cursor.position AS position
