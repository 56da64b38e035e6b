"""Where events live: Neo4j, or memory; both behind `app.engine.ports`."""
