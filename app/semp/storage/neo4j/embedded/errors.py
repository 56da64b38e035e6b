"""The only exception that this package raises deliberately."""


class EmbeddedNeo4jError(Exception):
    """The embedded Neo4j cannot do what was asked. The message says why and what to do, and never contains a password."""
