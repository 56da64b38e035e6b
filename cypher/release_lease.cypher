// Give a lease back; no row when the token is not the current one. The node stays: it keeps the tokens growing.
// The SET takes the lease's lock before anything is read.
// mode: write
// param name: STRING
// param token: INTEGER
// returns name: STRING
MATCH (lease:Lease {name: $name})
SET lease.locked_by = $token
WITH lease WHERE lease.token = $token AND lease.holder IS NOT NULL
SET lease.holder = null, lease.expires = null
RETURN lease.name AS name
