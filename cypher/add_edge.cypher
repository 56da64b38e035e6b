// Link two nodes of the users' own graph; an edge that is there already stays one. No row when either node is missing.
// mode: write
// param from: STRING
// param to: STRING
// param type: STRING
// returns type: STRING
MATCH (node:Node {id: $from})
MATCH (other:Node {id: $to})
MERGE (node)-[edge:EDGE {type: $type}]->(other)
RETURN edge.type AS type
