// The current holder of a lease, by the database's clock. No row when the lease is free or has expired.
// `expires` and `now` are milliseconds since 1970.
// mode: read
// param name: STRING
// returns name: STRING, holder: STRING, token: INTEGER, expires: INTEGER, now: INTEGER
MATCH (lease:Lease {name: $name})
WITH lease, datetime.transaction().epochMillis AS now WHERE lease.expires > now
RETURN lease.name AS name, lease.holder AS holder, lease.token AS token, lease.expires AS expires, now
