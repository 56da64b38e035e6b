"""Pictures of events: static ones for a page, and an interactive one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

COLOURS = {"proposal": "#4c78a8", "ready": "#72b7b2", "test": "#eeca3b", "reward": "#54a24b", "penalty": "#e45756"}
"""The colour of each type of event, in all pictures."""
GREY = "#b8b8b8"
PLATE = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
"""Background of labels, so that an arrow behind a label does not hide it."""

plt.rcParams.update({"figure.dpi": 96, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "figure.autolayout": True})


def words(node: Mapping[str, Any]) -> str:
    """A short label for an event: the value of a reward or penalty, the action of a proposal, otherwise the status."""
    match node["type"]:
        case "reward" | "penalty":
            return f"{node['value']:+g}"
        case "proposal":
            return str(node.get("action", ""))
        case _:
            return str(node.get("status", ""))


def draw(
    graph: nx.MultiDiGraph[str],
    axes: Axes,
    *,
    across: Callable[[Mapping[str, Any]], float],
    rows: Callable[[Mapping[str, Any]], Hashable],
    strong: Collection[tuple[str, str]] = (),
    label: Callable[[Mapping[str, Any]], str] = words,
) -> None:
    """Draw events as dots in rows, with an arrow from each cause to its effect.

    Args:
        across: the horizontal place of an event, such as its time in seconds.
        rows: the row of an event, such as its agent; rows are in the order of their first events.
        strong: (effect, cause) of the arrows to draw bold.
        label: the text above an event.
    """
    order = sorted(graph, key=lambda event: graph.nodes[event]["position"])
    lines = list(dict.fromkeys(rows(graph.nodes[event]) for event in order))
    place = {event: (across(graph.nodes[event]), -lines.index(rows(graph.nodes[event]))) for event in order}
    bends = {0: 0.14, 1: 0.0}  # arrows within a row are bent below it, longer ones past the dots of other rows
    for effect, cause in graph.edges():
        bold = (effect, cause) in strong
        axes.annotate(
            "", xy=place[effect], xytext=place[cause],
            arrowprops={
                "arrowstyle": "-|>", "color": "#333333" if bold else GREY, "lw": 2.4 if bold else 1.0, "shrinkA": 9, "shrinkB": 9,
                "connectionstyle": f"arc3,rad={bends.get(abs(place[effect][1] - place[cause][1]), 0.1)}",
            },
        )  # fmt: skip
    for event in order:
        node = graph.nodes[event]
        axes.scatter(*place[event], s=190, color=COLOURS[node["type"]], edgecolor="white", linewidth=1.5, zorder=3)
        axes.annotate(label(node), place[event], xytext=(0, 11), textcoords="offset points", ha="center", fontsize=9, zorder=4, bbox=PLATE)
    axes.set_yticks([-number for number in range(len(lines))], [str(line) for line in lines])
    axes.set_ylim(-len(lines) + 0.4, 0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)


def legend(axes: Axes, types: Iterable[str] = COLOURS, **where: Any) -> None:
    """Add a legend with the colours of the types."""
    marks = [Line2D([], [], marker="o", ls="", markersize=9, color=COLOURS[kind], label=kind) for kind in types]
    axes.legend(handles=marks, frameon=False, **({"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": len(marks)} | where))


def interactive(graph: nx.MultiDiGraph[str]) -> Any:
    """The graph as an interactive widget (`neo4j-viz`) to zoom and drag. A click on an event shows its attributes.

    A widget takes 4 MB, so it is not stored in the file of the notebook; it appears when you run the notebook. Returns None if
    SEMP_NO_WIDGETS is set.
    """
    if os.environ.get("SEMP_NO_WIDGETS"):
        return None
    from neo4j_viz import Node, Relationship, VisualizationGraph

    events = [
        Node(id=event, caption=words(node), color=COLOURS[node["type"]], properties={name: str(value) for name, value in node.items()})
        for event, node in graph.nodes.items()
    ]
    causes = [Relationship(source=effect, target=cause, caption="PARENT") for effect, cause in graph.edges()]
    return VisualizationGraph(events, causes).render_widget()
