// Wait until every index is filled; a new one on an old log takes a while.
// mode: read
CALL db.awaitIndexes(300)
