"""A mirror's graph as GraphML, JSON and tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from semp_sdk.extras import extra

if TYPE_CHECKING:
    import networkx as nx
    from pandas import DataFrame

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NODE_COLUMNS = ["id", "position", "timestamp", "type", "scope", "trace_id", "agent_id", "action", "value", "status"]


def json_text(graph: nx.MultiDiGraph[str]) -> str:
    """Node-link JSON."""
    return msgspec.json.encode(extra("networkx").node_link_data(graph, edges="edges")).decode()


def graphml_text(graph: nx.MultiDiGraph[str]) -> str:
    """GraphML without ids of edges, of which `PARENT` would be the only one. Characters that XML cannot hold become U+FFFD."""
    networkx = extra("networkx")
    plain = networkx.DiGraph(**graph.graph)
    plain.add_nodes_from((_xml(key), {name: _graphml_value(value) for name, value in node.items()}) for key, node in graph.nodes.items())
    plain.add_edges_from((_xml(event), _xml(cause), edge) for event, cause, edge in graph.edges(data=True))
    return "\n".join(networkx.generate_graphml(plain))


def graph_from_graphml(text: str) -> nx.MultiDiGraph[str]:
    """The graph that `Mirror.to_graphml` wrote, with payloads as dicts again."""
    networkx = extra("networkx")
    plain = networkx.parse_graphml(text)
    graph = networkx.MultiDiGraph(**plain.graph)
    graph.graph.pop("node_default", None)
    graph.graph.pop("edge_default", None)
    for key, node in plain.nodes.items():
        if "payload" in node:
            node = {**node, "payload": msgspec.json.decode(node["payload"])}
        graph.add_node(key, **node)
    graph.add_edges_from((event, cause, edge["type"], edge) for event, cause, edge in plain.edges(data=True))
    return graph


def events_frame(graph: nx.MultiDiGraph[str]) -> DataFrame:
    """Events in order of position."""
    pandas = extra("pandas")
    rows = sorted(({"id": key, **node} for key, node in graph.nodes.items()), key=lambda row: row["position"])
    columns = NODE_COLUMNS + (["payload"] if any("payload" in row for row in rows[:1]) else [])
    frame = pandas.DataFrame(rows, columns=columns)
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    return frame


def edges_frame(graph: nx.MultiDiGraph[str]) -> DataFrame:
    """Edges in the order of the events they leave."""
    pandas = extra("pandas")
    frame = pandas.DataFrame(list(graph.edges(keys=True)), columns=["event", "cause", "type"])
    times = pandas.to_datetime(pandas.Series({key: node["timestamp"] for key, node in graph.nodes.items()}), utc=True, format="ISO8601")
    frame["seconds"] = (frame["event"].map(times) - frame["cause"].map(times)).dt.total_seconds() if len(frame) else []
    return frame


def _graphml_value(value: Any) -> Any:
    if isinstance(value, dict):
        value = msgspec.json.encode(value).decode()
    return _xml(value) if isinstance(value, str) else value


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
