"""A real Neo4j Community server without Docker, system Java or Maven. Importing this starts and loads nothing."""

from .child import Connection
from .errors import EmbeddedNeo4jError
from .progress import Step, StepReporter
from .server import DEFAULT_VERSION, EmbeddedNeo4j

__all__ = ["DEFAULT_VERSION", "Connection", "EmbeddedNeo4j", "EmbeddedNeo4jError", "Step", "StepReporter"]
