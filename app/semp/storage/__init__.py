"""The two storages, Neo4j and memory. Both implement `semp.engine.ports`."""
