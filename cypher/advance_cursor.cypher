// Move a cursor forward to a position; create it when it does not exist. The row shows where the cursor is afterwards.
// Nothing is written when `reached` is false: the log has another epoch, or ends before the position. Nothing is written when `allowed` is false:
// the lease was given back, or its current token is another one.
// A cursor of another log, or one that is at the position already or beyond it, is moved only when $back is true.
// The write lock of the lease node is taken before the token is read, and held until the commit. So the next holder of the lease sees the moved
// cursor. No row in a database without a log.
// mode: write
// param name: STRING
// param epoch: STRING  of the log that the position belongs to
// param position: INTEGER
// param back: BOOLEAN  whether the cursor may move backwards, or over from another log
// param lease: STRING  name of the lease that must be held; null when none is needed
// param token: INTEGER  token of that lease; null without one
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
