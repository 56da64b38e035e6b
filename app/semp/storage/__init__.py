"""Where events live: Neo4j, or memory; both behind `semp.engine.ports`."""
