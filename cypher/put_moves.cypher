// Store with existing events which signals they moved, as an append does today. For events that an older version wrote. Safe to repeat.
// mode: write
// param events: LIST<LIST<ANY>>  [position, signal, before, after, share, further moves as [signal, before, after, share]]
UNWIND $events AS row
MATCH (event:Event {position: row[0]})
SET event.signal = row[1], event.before = row[2], event.after = row[3], event.share = row[4]
FOREACH (move IN row[5] |
  MERGE (event)-[:MOVED]->(kept:Move {signal: move[0], position: row[0]})
  SET kept.before = move[1], kept.after = move[2], kept.share = move[3])
