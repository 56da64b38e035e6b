// Store a node of the users' own graph, or find the one that has this id.
// mode: write
// param id: STRING
// param type: STRING
// param data: STRING  JSON object
// param token: STRING  tells a new node from one that was there
// returns id: STRING, type: STRING, data: STRING, created: BOOLEAN
MERGE (node:Node {id: $id})
ON CREATE SET node.type = $type, node.data = $data, node.token = $token
RETURN node.id AS id, node.type AS type, node.data AS data, node.token = $token AS created
