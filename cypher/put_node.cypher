// Create a node of the users' own graph. A node that has this id already is returned and not changed.
// mode: write
// param id: STRING  id of the node
// param type: STRING
// param data: STRING  JSON object
// param token: STRING  unique token of this call; `created` is true when the node has it
// returns id: STRING, type: STRING, data: STRING, created: BOOLEAN
MERGE (node:Node {id: $id})
ON CREATE SET node.type = $type, node.data = $data, node.token = $token
RETURN node.id AS id, node.type AS type, node.data AS data, node.token = $token AS created
