// Link a node of the users' own graph to another, or to an event; an edge that is there already stays one. No row when either is missing.
// mode: write
// param from: STRING
// param to: STRING  of a node, else of an event
// param type: STRING
// returns type: STRING
MATCH (node:Node {id: $from})
OPTIONAL MATCH (other:Node {id: $to})
OPTIONAL MATCH (event:Event {id: $to})
WITH node, coalesce(other, event) AS target WHERE target IS NOT NULL
MERGE (node)-[edge:EDGE {type: $type}]->(target)
RETURN edge.type AS type
