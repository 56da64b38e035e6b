// What events pass on to their children: the nearest proposals among their causes, each as [position, scope, action], and the distance to them in
// PARENT hops. A proposal passes on itself, at distance 0. No row for an id that does not exist.
// mode: read
// param ids: LIST<STRING>
// returns id: STRING, position: INTEGER, distance: INTEGER, nearest: LIST<LIST<ANY>>
UNWIND $ids AS id
MATCH (event:Event {id: id})
CALL (event) {
  UNWIND CASE WHEN event.type = 'proposal' THEN [event.position] ELSE event.nearest END AS position
  MATCH (proposal:Event {position: position})
  RETURN collect([position, proposal.scope, proposal.action]) AS nearest
}
RETURN event.id AS id, event.position AS position, CASE WHEN event.type = 'proposal' THEN 0 ELSE event.distance END AS distance, nearest
