// The proposals at and above events, each at its shortest distance: the nearest, and of the same distance the newest. For credit along causes.
// mode: read
// bound depth: 64  PARENT hops at most; runs as it stands, and for any other bound the number is replaced
// param ids: LIST<STRING>
// param limit: INTEGER  proposals of one event, at most
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
