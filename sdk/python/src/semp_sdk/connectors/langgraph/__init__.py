"""Connector for LangGraph: runs of graphs are recorded as events, routes follow signals, and models get tools for both.

    app = recorded(graph.compile(), "http://localhost:5000", scope="support")

From then on every run of `app` is recorded as a graph of events and their causes; nothing else changes.
"""

from semp_sdk.connectors.langgraph.context import Place, here, scored
from semp_sdk.connectors.langgraph.recorder import GraphRecorder, recorded
from semp_sdk.connectors.langgraph.routing import epsilon, greedy, proportional
from semp_sdk.connectors.langgraph.tools import semp_tools

__all__ = ["GraphRecorder", "Place", "epsilon", "greedy", "here", "proportional", "recorded", "scored", "semp_tools"]
