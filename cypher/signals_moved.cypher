// The stored states of the signals that the events of some positions moved.
// mode: read
// param after: INTEGER  only positions above this
// param upto: INTEGER  the last position
// returns scope: STRING, pattern: STRING, strength: FLOAT, alpha: FLOAT, lambda: FLOAT, decayed_at: INTEGER, last_updated: INTEGER, position: INTEGER, interval: FLOAT
MATCH (event:Event) WHERE event.position > $after AND event.position <= $upto
WITH [signal IN [event.signal] WHERE signal IS NOT NULL] + [(event)-[:MOVED]->(move:Move) | move.signal] AS keys
UNWIND keys AS key
WITH DISTINCT toString(key) AS key
WITH key, split(key, ':')[0] AS scope
MATCH (signal:Signal {scope: scope, pattern: substring(key, size(scope) + 1)})
RETURN signal.scope AS scope, signal.pattern AS pattern, signal.strength AS strength, signal.alpha AS alpha, signal.lambda AS lambda,
       signal.decayed_at AS decayed_at, signal.last_updated AS last_updated, signal.position AS position, signal.interval AS interval
