"""Connector for AutoGen (agentchat 0.7): runs of teams and agents are recorded as events.

    from semp_sdk.connectors.autogen import recorded

    team = recorded(team, "http://localhost:5000", scope="newsroom")

Needs the extra `autogen`.
"""

from semp_sdk.connectors.autogen.recorder import TeamRecorder, recorded, scored

__all__ = ["TeamRecorder", "recorded", "scored"]
