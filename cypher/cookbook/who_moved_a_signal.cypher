// Who raised a signal, who lowered it, and by how much?
// The change of each event is stored with the event. Decay is not counted for any agent.
// mode: read
// span: 10000 of signal $signal
// param signal: STRING  key of the signal: scope:pattern
// param after: INTEGER(0..) = null  only moves at positions above this; null for the newest 10,000; otherwise the newest 100,000 at most
// param until: INTEGER(0..) = null  only moves at positions up to this; null for the newest of the log
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, events: INTEGER, raised: FLOAT, lowered: FLOAT
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
  WHERE event.signal = $signal AND event.position > $after AND event.position <= $until
  RETURN event.agent_id AS agent, event.after - event.before AS change
UNION ALL
  MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
  WHERE move.signal = $signal AND move.position > $after AND move.position <= $until
  MATCH (event:Event {position: move.position})
  RETURN event.agent_id AS agent, move.after - move.before AS change
}
WITH agent, change WHERE change <> 0
RETURN agent, count(*) AS events, round(sum(CASE WHEN change > 0 THEN change ELSE 0.0 END), 4) AS raised,
       round(sum(CASE WHEN change < 0 THEN -change ELSE 0.0 END), 4) AS lowered
ORDER BY raised + lowered DESC, agent LIMIT $limit
