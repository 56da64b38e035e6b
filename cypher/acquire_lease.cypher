// Take a lease. A lease that is free or has expired goes to the caller, with a new token. A lease that the caller holds already is extended and
// keeps its token. A lease of another holder is not changed. The row shows the lease afterwards; `expires` and `now` are milliseconds since 1970.
// The first SET takes the write lock of the lease node before anything is read, so only one of several concurrent callers gets the lease.
// Time is the database's clock at the begin of the transaction. A caller that waited for the lock therefore works with an earlier time: it can
// take an expired lease for one that is still held, but never a held one for expired.
// mode: write
// param name: STRING
// param holder: STRING  the caller
// param milliseconds: INTEGER  length of the lease from now on; a later expiry is kept
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
