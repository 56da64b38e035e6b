"""Small graphs, and what was told of them."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from conftest import Stored, trace_of
from langgraph.graph import END, START, StateGraph
from semp_sdk.connectors.langgraph import GraphRecorder
from typing_extensions import TypedDict


class State(TypedDict):
    seen: Annotated[list[Any], operator.add]


def node(name: str) -> Any:
    return always({"seen": [name]})


def always(answer: Any) -> Any:
    """A node, or a route, that answers this whatever the state is."""

    def answered(state: Any) -> Any:
        return answer

    return answered


def graph_of(*edges: tuple[Any, str], **nodes: Any) -> StateGraph[Any, Any, Any, Any]:
    """A graph of these edges; nodes that are not given only say their names."""
    graph = StateGraph(State)
    names = {name for start, end in edges for name in [*([start] if isinstance(start, str) else start), end]} - {START, END}
    for name in sorted(names | set(nodes)):
        graph.add_node(name, nodes.get(name, node(name)))
    for start, end in edges:
        graph.add_edge(start, end)
    return graph


def recorder_at(url: str, **options: Any) -> GraphRecorder:
    """A recorder that is closed when the process ends."""
    _all.append(GraphRecorder(url, **options))
    return _all[-1]


_all: list[GraphRecorder] = []


def told(recorder: GraphRecorder) -> Stored:
    assert recorder.recording.flush(30)
    assert recorder.recording.lost == 0
    return trace_of(recorder.recording.url, recorder.recording.trace_id)
