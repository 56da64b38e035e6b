// A node of the users' own graph with its edges, to other nodes and to events.
// mode: read
// param id: STRING
// returns id: STRING, type: STRING, data: STRING, edges: LIST<LIST<STRING>>
MATCH (node:Node {id: $id})
RETURN node.id AS id, node.type AS type, node.data AS data,
       [(node)-[edge:EDGE]->(other) | [other.id, edge.type]] AS edges
