// An id is used once in the users' own graph.
// mode: schema
CREATE CONSTRAINT node_id IF NOT EXISTS FOR (node:Node) REQUIRE node.id IS UNIQUE
