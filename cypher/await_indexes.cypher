// Wait until every index is populated. Building a new index on a large log takes a while.
// mode: read
CALL db.awaitIndexes(300)
