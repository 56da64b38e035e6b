// Link a node of the users' own graph to another node, or to an event when no node has that id.
// Safe to repeat: there is one edge of each type between the two. No row when either end does not exist.
// mode: write
// param from: STRING  id of a node
// param to: STRING  id of a node, or else of an event
// param type: STRING  type of the edge
// returns type: STRING
MATCH (node:Node {id: $from})
OPTIONAL MATCH (other:Node {id: $to})
OPTIONAL MATCH (event:Event {id: $to})
WITH node, coalesce(other, event) AS target WHERE target IS NOT NULL
MERGE (node)-[edge:EDGE {type: $type}]->(target)
RETURN edge.type AS type
