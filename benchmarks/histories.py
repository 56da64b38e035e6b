"""Generated events with causes for benchmarks: long histories with merges, a ladder of diamonds, a chain, wide layers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import networkx as nx

EventBody = dict[str, Any]
"""An event as a client sends it."""


class Branches:
    """Chooses parents as in a busy repository: there are up to 40 branches, which exist for a while and are merged again.

    Args:
        merges: the share of events with two parents, 0 to 1.
    """

    def __init__(self, choose: random.Random, merges: float = 0.25) -> None:
        self.choose = choose
        self.merges = merges
        self.tips: list[str] = []

    def add(self, event_id: str) -> list[str]:
        """Add the next event and return its parents; only the first event has none."""
        tips, choose = self.tips, self.choose
        parents = choose.sample(tips, 2) if len(tips) > 1 and choose.random() < self.merges else [choose.choice(tips)] if tips else []
        grows = len(tips) < 40 and choose.random() < 0.3
        self.tips = [tip for tip in tips if tip not in parents or (grows and tip == parents[0])] + [event_id]
        return parents


def new_ids(choose: random.Random) -> Iterator[str]:
    """Random UUIDs, the same sequence for the same seed."""
    while True:
        yield str(uuid.UUID(int=choose.getrandbits(128)))


def event(event_id: str, parents: list[str], number: int) -> EventBody:
    """One event of a history with 20 scopes and 30 agents; `number` chooses both."""
    return {
        "id": event_id, "type": "ready", "scope": f"history.part{number % 20}", "trace_id": "history", "agent_id": f"agent-{number % 30}",
        "payload": {"status": "committed"}, "parent_ids": parents,
    }  # fmt: skip


def history(size: int, seed: int = 11) -> list[EventBody]:
    """A history with branches; all other events are causes of the last one."""
    choose = random.Random(seed)
    branches = Branches(choose)
    events = [event(event_id, branches.add(event_id), number) for number, event_id in enumerate(islice(new_ids(choose), size))]
    return [*events, event(str(uuid.uuid4()), branches.tips, size)]


def ladder(rungs: int) -> list[EventBody]:
    """Diamonds in a row, `rungs` of them, so that there are 2 ** rungs paths from the last event to the first."""
    events = [event(str(uuid.uuid4()), [], 0)]
    foot = [str(events[0]["id"])]
    for _ in range(rungs):
        pair = [event(str(uuid.uuid4()), foot, 0) for _ in range(2)]
        events += pair
        foot = [str(rung["id"]) for rung in pair]
    return [*events, event(str(uuid.uuid4()), foot, 0)]


def chain(size: int) -> list[EventBody]:
    """Each event is the cause of the next one, so the depth is the size."""
    ids = [str(uuid.uuid4()) for _ in range(size)]
    return [event(event_id, ids[max(0, number - 1) : number], number) for number, event_id in enumerate(ids)]


def layers(size: int, width: int = 1_000, seed: int = 12) -> list[EventBody]:
    """Layers, as in the work of a large team: each event has two causes in the previous layer; the last event follows from all of the last
    layer."""
    choose = random.Random(seed)
    events: list[EventBody] = []
    below: list[str] = []
    ids = new_ids(choose)
    while len(events) < size:
        layer = list(islice(ids, width))
        events += [event(event_id, choose.sample(below, 2) if below else [], number) for number, event_id in enumerate(layer)]
        below = layer
    while len(below) > 1:
        tops = [event(next(ids), below[start : start + 50], start) for start in range(0, len(below), 50)]
        events += tops
        below = [top["id"] for top in tops]
    return events


def graph_of(events: Iterable[EventBody]) -> nx.DiGraph[str]:
    """The events as a networkx graph, with edges from child to cause."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for body in events:
        graph.add_node(body["id"])
        graph.add_edges_from((body["id"], parent) for parent in body["parent_ids"])
    return graph
