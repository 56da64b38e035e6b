// For the search for credit: these events, and some of their causes, which the search is likely to need next. No row for an id that does not exist.
// With a limit of 1, only the events themselves are read; the expansion ends as soon as the limit is reached.
// mode: read
// param ids: LIST<STRING>  event ids
// param limit: INTEGER  for each of them: itself, and so many of its causes within 8 PARENT hops that it makes this many events, at least 1
// returns id: STRING, position: INTEGER, scope: STRING, action: STRING, parent_ids: LIST<STRING>
UNWIND $ids AS id
MATCH (origin:Event {id: id})
CALL (origin) {
  MATCH (origin)-[:PARENT*0..8]->(event)
  RETURN DISTINCT event LIMIT $limit
}
WITH DISTINCT event
RETURN event.id AS id, event.position AS position, CASE WHEN event.type = 'proposal' THEN event.scope END AS scope, event.action AS action,
  event.parent_ids AS parent_ids
