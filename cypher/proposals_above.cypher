// For credit along causes: for each event, the proposals among its causes and itself, each as [position, scope, action, hops] at its shortest distance.
// Nearest first, at the same distance newest first. No row for an id that does not exist.
// mode: read
// bound depth: 64  PARENT hops at most; for another bound or for none, the loader replaces the number in the text
// param ids: LIST<STRING>  event ids
// param limit: INTEGER  proposals of each event, at most
// returns id: STRING, found: LIST<LIST<ANY>>
UNWIND $ids AS id
MATCH (origin:Event {id: id})
CALL (origin) {
  MATCH path = (origin)-[:PARENT*0..64]->(above)
  WITH above, min(length(path)) AS hops
  WHERE above.type = 'proposal'
  WITH above, hops ORDER BY hops, above.position DESC LIMIT $limit
  RETURN collect([above.position, above.scope, above.action, hops]) AS found
}
RETURN id, found
