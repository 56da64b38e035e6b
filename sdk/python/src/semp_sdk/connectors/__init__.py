"""Connectors: runs of other agent frameworks are recorded as events, with two lines of code and no change to the run.

Each connector is a package of its own, with an extra of its own. All share `Recording`; build further connectors on it.
"""

from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt, reason_of, scope_of

__all__ = ["Recording", "excerpt", "reason_of", "scope_of"]
