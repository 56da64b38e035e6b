"""Runs a real Neo4j Community server without Docker, Maven or an installed Java. The import starts nothing and downloads nothing."""

from .child import Connection
from .errors import EmbeddedNeo4jError
from .progress import Step, StepReporter
from .server import DEFAULT_VERSION, EmbeddedNeo4j

__all__ = ["DEFAULT_VERSION", "Connection", "EmbeddedNeo4j", "EmbeddedNeo4jError", "Step", "StepReporter"]
