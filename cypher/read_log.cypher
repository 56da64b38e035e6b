// A part of the log in order, with the stored values that a replay needs. `nearest` is a list of proposals as [position, scope, action], `answers`
// is one such proposal or null, and `credited` is a list of [position, scope, action, share].
// mode: read
// param after: INTEGER  the last position already read
// param last: INTEGER  the last position to read
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER, action: STRING, nearest: LIST<LIST<ANY>>, distance: INTEGER, answers: LIST<ANY>, credited: LIST<LIST<ANY>>
MATCH (event:Event) WHERE event.position > $after AND event.position <= $last
CALL (event) {
  UNWIND event.nearest AS position
  MATCH (proposal:Event {position: position})
  RETURN collect([position, proposal.scope, proposal.action]) AS nearest
}
CALL (event) {
  UNWIND event.answers AS position
  MATCH (proposal:Event {position: position})
  RETURN collect([position, proposal.scope, proposal.action]) AS answers
}
CALL (event) {
  UNWIND range(0, coalesce(size(event.credited), 0) - 1) AS index
  MATCH (proposal:Event {position: event.credited[index]})
  RETURN collect([proposal.position, proposal.scope, proposal.action, event.shares[index]]) AS credited
}
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position, event.action AS action, nearest, event.distance AS distance, head(answers) AS answers, credited
ORDER BY event.position
