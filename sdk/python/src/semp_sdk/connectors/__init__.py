"""Agents of other frameworks leave events: two lines beside a run that goes on as before.

Each connector is a module of its own behind an extra of its own. What they share, and what one more is built on, is `Recording`.
"""

from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt, reason_of, scope_of

__all__ = ["Recording", "excerpt", "reason_of", "scope_of"]
