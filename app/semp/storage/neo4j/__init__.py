"""Storage in Neo4j 5.26 or 2026, embedded or anywhere a driver reaches."""
