"""The one exception this package raises on purpose."""


class EmbeddedNeo4jError(Exception):
    """The embedded Neo4j cannot do what was asked; the message says why and what to do. It never holds a password."""
