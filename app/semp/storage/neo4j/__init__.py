"""Storage in Neo4j 5.26 or 2026: an embedded server, or any server that the driver can reach."""
