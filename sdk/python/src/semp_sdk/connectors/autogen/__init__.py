"""Teams and agents of AutoGen (agentchat 0.7) leave events.

    from semp_sdk.connectors import Recording
    from semp_sdk.connectors.autogen import recorded

    team = recorded(team, Recording(agent_id="newsroom", scope="article"))

Needs the extra `autogen`.
"""

from semp_sdk.connectors.autogen.watching import outcome, recorded

__all__ = ["outcome", "recorded"]
