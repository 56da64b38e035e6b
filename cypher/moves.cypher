// The events that moved a signal, in log order, each with the strength of the signal right before and after it. `share` is the part of the event's
// value that reached the signal; null for all of it. A penalty on an absent signal is included, with the strengths 0 and 0.
// An event that moved several signals has the first one in its own properties, and a Move node for each of the others.
// mode: read
// param signal: STRING  key of the signal: scope:pattern
// param after: INTEGER  only positions above this
// param upto: INTEGER  only positions up to this
// param limit: INTEGER  rows at most
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER, before: FLOAT, after: FLOAT, share: FLOAT
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
  WHERE event.signal = $signal AND event.position > $after AND event.position <= $upto
  RETURN event, event.before AS before, event.after AS after, event.share AS share ORDER BY event.signal, event.position LIMIT $limit
UNION ALL
  MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
  WHERE move.signal = $signal AND move.position > $after AND move.position <= $upto
  WITH move ORDER BY move.signal, move.position LIMIT $limit
  MATCH (event:Event {position: move.position})
  RETURN event, move.before AS before, move.after AS after, move.share AS share
}
WITH event, before, after, share ORDER BY event.position LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position, before, after, share
