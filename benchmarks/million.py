"""A log of a million events compared with one of ten thousand: counting lineage, explaining signals, reading signals in the past."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import networkx as nx

from benchmarks import bare
from benchmarks.databases import embedded
from benchmarks.histories import Branches, EventBody, new_ids
from benchmarks.lineage import compare_counts
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import in_turn, milliseconds, ratio

PROJECTS = 10
SCOPE, PATTERN, MOVES = "watched.signal", "watch", 1_000
"""One signal is moved MOVES times, evenly over the log, for every length of the log."""


class Log:
    """A log of ten projects, each a history with branches. Iterating generates its events, in an order that the service accepts.

    One event in five is a reward or penalty of the newest proposal of its project. There are 140 signals, all created long before event
    10,000, and the watched signal. All proposals of the projects are causes of the last event.
    """

    def __init__(self, size: int, seed: int = 31) -> None:
        self.size = size
        self.random = random.Random(seed)
        self.ids = new_ids(self.random)
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        """The events generated so far, with edges from child to cause."""
        self.first = ""
        """The id of the oldest proposal of the log."""
        self.closing: list[str] = []
        """The ids of the last event of each project, then that of the whole log."""

    def __iter__(self) -> Iterator[EventBody]:
        projects = [Branches(self.random) for _ in range(PROJECTS)]
        newest = [""] * PROJECTS
        every = self.size // MOVES
        for number in range(self.size):
            project, event_id, scope = self.random.randrange(PROJECTS), next(self.ids), f"project.mod{number % 20}"
            if number % every == number // every % 10:
                kind = ("proposal", "reward", "penalty")[number // every % 3]
                yield self._event(event_id, kind, SCOPE, number, [], PATTERN)
            elif newest[project] and self.random.random() < 0.2:
                yield self._event(event_id, self.random.choice(("reward", "penalty")), scope, number, [newest[project]])
            else:
                self.first = self.first or event_id
                newest[project] = event_id
                yield self._event(event_id, "proposal", scope, number, projects[project].add(event_id))
        for number, branches in enumerate(projects):
            self.closing.append(next(self.ids))
            yield self._event(self.closing[-1], "proposal", f"project.mod{number}", number, branches.tips)
        self.closing.append(next(self.ids))
        yield self._event(self.closing[-1], "proposal", "project.mod0", 0, self.closing[:-1])

    def _event(self, event_id: str, kind: str, scope: str, number: int, parents: list[str], action: str | None = None) -> EventBody:
        self.graph.add_node(event_id)
        self.graph.add_edges_from((event_id, parent) for parent in parents)
        payload: dict[str, object] = {"action": f"do{number % 7}"}
        if kind != "proposal":
            payload = {"value": 0.02 if kind == "reward" else -0.001}  # so that no signal fades away
        if action is not None:
            payload["action"] = action
        return {
            "id": event_id, "type": kind, "scope": scope, "trace_id": f"t{number // 500}-{number % 10}",
            "agent_id": f"agent-{number % 30}", "payload": payload, "parent_ids": parents,
        }  # fmt: skip


def events(report: Report, size: int = 1_000_000, little: int = 10_000) -> None:
    """Run two databases at once, so that the long and the short log are measured in turn."""
    with (
        embedded() as second,
        running("neo4j") as port,
        running("neo4j", database=second) as other_port,
        asking(port) as large,
        asking(other_port) as small,
        bare.connect() as driver,
        driver.session() as session,
    ):
        log, short = Log(size), Log(little)
        small.store(short)
        large.store(with_progress(log))
        where = f"log of {size:,}"
        for name, event_id in (("one project", log.closing[0]), ("all", log.closing[-1])):
            compare_counts(report, large, session, f"{where}, {name}", event_id, "ancestors", log.graph, rounds=5)
        compare_counts(report, large, session, f"{where}, one project", log.first, "descendants", log.graph, rounds=5)
        flat(report, {large: size, small: little})


def with_progress(log: Log) -> Iterator[EventBody]:
    """The events of the log; prints a line for every 100,000."""
    for number, event in enumerate(log, 1):
        if number % 100_000 == 0:
            print(f"  {number:,} events", flush=True)
        yield event


def flat(report: Report, sizes: dict[Rest, int], rounds: int = 100) -> None:
    """Compare three reads on the long and the short log: explaining the watched signal, reading it at random moments of the past, and
    reading all signals at such moments.

    Args:
        sizes: the client of the long log and that of the short one, each with the number of events.
    """
    large, small = sizes
    path = f"/api/signals/{SCOPE}/{PATTERN}"
    live = {rest: len(rest.get("/api/signals", limit=1_000)) for rest in sizes}
    assert live[large] == live[small], "as many live signals in both"

    def explain(rest: Rest) -> Callable[[], object]:
        def ask() -> None:
            explained = rest.get(f"{path}/explain", limit=1_000)
            assert explained["count"] == len(explained["events"]) == MOVES

        return ask

    def at(rest: Rest, where: str) -> Callable[[], object]:
        choose = random.Random(7)
        return lambda: rest.get(where, at=choose.randint(sizes[rest] // 10, sizes[rest]))

    questions: dict[str, Callable[[Rest], Callable[[], object]]] = {
        f"explain of a signal with {MOVES:,} moves": explain,
        "a signal at a moment of the past": lambda rest: at(rest, path),
        "the field at a moment of the past": lambda rest: at(rest, "/api/signals"),
    }
    for name, asked in questions.items():
        times = in_turn({"large": asked(large), "small": asked(small)}, rounds, warm=100)
        detail = f"{milliseconds(times, 'large')}, {milliseconds(times, 'small')}; {live[large]} live signals in both"
        name = f"{name}, log of {sizes[large]:,} / of {sizes[small]:,}"
        report.add(name, ratio(times, "large", "small"), "at most 1.2", detail)
