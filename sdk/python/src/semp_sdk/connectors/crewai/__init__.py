"""Connector for CrewAI: a listener on CrewAI's event bus records crews and flows as events.

    from semp_sdk.connectors.crewai import SempListener
    SempListener("http://localhost:5000")

Needs the extra `crewai`.
"""

from semp_sdk.connectors.crewai.listener import SempListener

__all__ = ["SempListener"]
