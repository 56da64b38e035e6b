// Who holds a lease now, by the database's time; no row when it is free.
// mode: read
// param name: STRING
// returns name: STRING, holder: STRING, token: INTEGER, expires: INTEGER, now: INTEGER
MATCH (lease:Lease {name: $name})
WITH lease, datetime.transaction().epochMillis AS now WHERE lease.expires > now
RETURN lease.name AS name, lease.holder AS holder, lease.token AS token, lease.expires AS expires, now
