// Wait until every index is populated. Building a new index on a large log takes a while.
// mode: read
// param seconds: INTEGER  how long to wait at most
CALL db.awaitIndexes($seconds)
