// Extend a lease. No row when $token is not its current token. A lease that has expired can be extended as long as nobody else has taken it.
// The first SET takes the write lock of the lease node before anything is read.
// Time is the database's clock; `expires` and `now` are milliseconds since 1970.
// mode: write
// param name: STRING
// param token: INTEGER
// param milliseconds: INTEGER  length of the lease from now on; a later expiry is kept
// returns name: STRING, holder: STRING, token: INTEGER, expires: INTEGER, now: INTEGER
MATCH (lease:Lease {name: $name})
SET lease.locked_by = $token
WITH lease, datetime.transaction().epochMillis AS now WHERE lease.token = $token AND lease.holder IS NOT NULL
SET lease.expires = CASE WHEN lease.expires < now + $milliseconds THEN now + $milliseconds ELSE lease.expires END
RETURN lease.name AS name, lease.holder AS holder, lease.token AS token, lease.expires AS expires, now
