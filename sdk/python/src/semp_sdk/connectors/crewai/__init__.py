"""Crews and flows of CrewAI leave events: a listener on CrewAI's event bus.

    from semp_sdk.connectors.crewai import SempListener
    SempListener("http://localhost:5000")

Needs the extra `crewai`.
"""

from semp_sdk.connectors.crewai.listener import SempListener

__all__ = ["SempListener"]
