// The nodes of the users' own graph that are linked to an event.
// mode: read
// param id: STRING  id of the event
// returns id: STRING, type: STRING, data: STRING, edge: STRING
MATCH (:Event {id: $id})<-[edge:EDGE]-(node:Node)
RETURN node.id AS id, node.type AS type, node.data AS data, edge.type AS edge
