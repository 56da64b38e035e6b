// Hold a lease for longer; no row when the token is not the current one. A lease that expired and that nobody took since is still held.
// The SET takes the lease's lock before anything is read. Time is the database's.
// mode: write
// param name: STRING
// param token: INTEGER
// param milliseconds: INTEGER  how long, from now on; an expiry that is later already stays
// returns name: STRING, holder: STRING, token: INTEGER, expires: INTEGER, now: INTEGER
MATCH (lease:Lease {name: $name})
SET lease.locked_by = $token
WITH lease, datetime.transaction().epochMillis AS now WHERE lease.token = $token AND lease.holder IS NOT NULL
SET lease.expires = CASE WHEN lease.expires < now + $milliseconds THEN now + $milliseconds ELSE lease.expires END
RETURN lease.name AS name, lease.holder AS holder, lease.token AS token, lease.expires AS expires, now
