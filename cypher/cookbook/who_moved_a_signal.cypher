// Who raised a signal, who lowered it, and by how much?
// The change of each event is stored with the event. Decay is not counted for any agent.
// mode: read
// param signal: STRING  key of the signal: scope:pattern
// param limit: INTEGER(1..1000) = 20  rows at most
// returns agent: STRING, events: INTEGER, raised: FLOAT, lowered: FLOAT
CALL () {
  MATCH (event:Event) WHERE event.signal = $signal
  RETURN event.agent_id AS agent, event.after - event.before AS change
UNION ALL
  MATCH (move:Move)<-[:MOVED]-(event:Event) WHERE move.signal = $signal
  RETURN event.agent_id AS agent, move.after - move.before AS change
}
WITH agent, change WHERE change <> 0
RETURN agent, count(*) AS events, round(sum(CASE WHEN change > 0 THEN change ELSE 0.0 END), 4) AS raised,
       round(sum(CASE WHEN change < 0 THEN -change ELSE 0.0 END), 4) AS lowered
ORDER BY raised + lowered DESC, agent LIMIT $limit
