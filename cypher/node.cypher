// A node of the users' own graph, with its edges to nodes and to events, each as [id of the target, type]. No row when there is no such node.
// mode: read
// param id: STRING  id of the node
// returns id: STRING, type: STRING, data: STRING, edges: LIST<LIST<STRING>>
MATCH (node:Node {id: $id})
RETURN node.id AS id, node.type AS type, node.data AS data,
       [(node)-[edge:EDGE]->(other) | [other.id, edge.type]] AS edges
