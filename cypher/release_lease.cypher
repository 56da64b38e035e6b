// Give a lease back. No row when $token is not its current token. The node stays, because the next token is counted on from it.
// The first SET takes the write lock of the lease node before anything is read.
// mode: write
// param name: STRING
// param token: INTEGER
// returns name: STRING
MATCH (lease:Lease {name: $name})
SET lease.locked_by = $token
WITH lease WHERE lease.token = $token AND lease.holder IS NOT NULL
SET lease.holder = null, lease.expires = null
RETURN lease.name AS name
