// Take a lease that is free or has expired, under a new token; one's own is renewed, under its old one; another's stays as it is.
// The SET takes the lease's lock before anything is read, so that of several who ask together one gets it. Time is the database's. It is that
// of the transaction's begin, so somebody who waited for the lock finds a lease alive rather than expired.
// mode: write
// param name: STRING
// param holder: STRING  who asks
// param milliseconds: INTEGER  how long it is taken for, from now on; an expiry that is later already stays
// returns name: STRING, holder: STRING, token: INTEGER, expires: INTEGER, now: INTEGER
MERGE (lease:Lease {name: $name})
ON CREATE SET lease.token = 0
SET lease.locked_by = $holder
WITH lease, datetime.transaction().epochMillis AS now
WITH lease, now, coalesce(lease.expires <= now, true) AS free
SET lease.token = CASE WHEN free THEN lease.token + 1 ELSE lease.token END,
    lease.holder = CASE WHEN free THEN $holder ELSE lease.holder END,
    lease.expires = CASE
      WHEN free OR (lease.holder = $holder AND lease.expires < now + $milliseconds) THEN now + $milliseconds
      ELSE lease.expires
    END
RETURN lease.name AS name, lease.holder AS holder, lease.token AS token, lease.expires AS expires, now
