// The same as moves, newest first, for one kind of moves.
// any: all of them. birth: those that created the signal. anew: those after which the strength decays from a new start value, that is the births and
// the events of the types in $making_anew. A lowering event that found the signal absent changed nothing: it is neither birth nor anew.
// mode: read
// param signal: STRING  key of the signal: scope:pattern
// param after: INTEGER  only positions above this
// param upto: INTEGER  only positions up to this
// param kind: STRING  any, birth or anew
// param limit: INTEGER  rows at most
// param lowering: LIST<STRING>  event types that lower a signal
// param making_anew: LIST<STRING>  event types that raise or lower a signal
// returns id: STRING, type: STRING, scope: STRING, trace_id: STRING, agent_id: STRING, parent_ids: LIST<STRING>, timestamp: STRING, payload: STRING, position: INTEGER, before: FLOAT, after: FLOAT, share: FLOAT
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
  WHERE event.signal = $signal AND event.position > $after AND event.position <= $upto
    AND ($kind = 'any' OR CASE WHEN event.before = 0 THEN NOT event.type IN $lowering ELSE $kind = 'anew' AND event.type IN $making_anew END)
  RETURN event, event.before AS before, event.after AS after, event.share AS share ORDER BY event.signal DESC, event.position DESC LIMIT $limit
UNION ALL
  MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
  WHERE move.signal = $signal AND move.position > $after AND move.position <= $upto
  WITH move ORDER BY move.signal DESC, move.position DESC
  MATCH (event:Event {position: move.position})
  WHERE $kind = 'any' OR CASE WHEN move.before = 0 THEN NOT event.type IN $lowering ELSE $kind = 'anew' AND event.type IN $making_anew END
  RETURN event, move.before AS before, move.after AS after, move.share AS share LIMIT $limit
}
WITH event, before, after, share ORDER BY event.position DESC LIMIT $limit
RETURN event.id AS id, event.type AS type, event.scope AS scope, event.trace_id AS trace_id,
       event.agent_id AS agent_id, event.parent_ids AS parent_ids, event.timestamp AS timestamp, event.payload AS payload,
       event.position AS position, before, after, share
