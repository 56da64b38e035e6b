// What events hand on to their children: the nearest proposals among their own causes, or themselves when they are proposals.
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
