"""LangGraph: runs of graphs as events, routes that follow signals, tools with which models read and leave both.

    app = recorded(graph.compile(), "http://localhost:5000", scope="support")

From then on every run of `app` leaves its causal graph of events; nothing else changes.
"""

from semp_sdk.connectors.langgraph.context import Place, here, scored
from semp_sdk.connectors.langgraph.recorder import GraphRecorder, recorded
from semp_sdk.connectors.langgraph.routing import epsilon, greedy, proportional
from semp_sdk.connectors.langgraph.tools import semp_tools

__all__ = ["GraphRecorder", "Place", "epsilon", "greedy", "here", "proportional", "recorded", "scored", "semp_tools"]
