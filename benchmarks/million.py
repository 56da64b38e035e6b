"""A log of a million events: lineage counted, and signals explained and looked up in the past, against the same on ten thousand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import networkx as nx

from benchmarks import bare
from benchmarks.databases import embedded
from benchmarks.histories import Branches, Made, new_ids
from benchmarks.lineage import compare_counts
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import in_turn, milliseconds, ratio

PROJECTS = 10
SCOPE, PATTERN, MOVES = "watched.signal", "watch", 1_000
"""One signal is moved this often, evenly over the log, however long that is."""


class Log:
    """A log of ten projects, each a history with branches; iterating makes its events, in an order the service accepts.

    One event in five is a reward or a penalty that answers the newest proposal of its project. There are 140 signals, long before the
    ten thousandth event, and the watched one. The last event has all other proposals of the projects among its causes.
    """

    def __init__(self, size: int, seed: int = 31) -> None:
        self.size = size
        self.random = random.Random(seed)
        self.ids = new_ids(self.random)
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        """What was made so far, edges from child to cause."""
        self.first = ""
        """The oldest event of the first project."""
        self.closing: list[str] = []
        """The last event of each project, then that of all."""

    def __iter__(self) -> Iterator[Made]:
        projects = [Branches(self.random) for _ in range(PROJECTS)]
        newest = [""] * PROJECTS
        every = self.size // MOVES
        for number in range(self.size):
            project, event_id, scope = self.random.randrange(PROJECTS), next(self.ids), f"project.mod{number % 20}"
            if number % every == number // every % 10:
                kind = ("proposal", "reward", "penalty")[number // every % 3]
                yield self._made(event_id, kind, SCOPE, number, [], PATTERN)
            elif newest[project] and self.random.random() < 0.2:
                yield self._made(event_id, self.random.choice(("reward", "penalty")), scope, number, [newest[project]])
            else:
                self.first = self.first or event_id
                newest[project] = event_id
                yield self._made(event_id, "proposal", scope, number, projects[project].add(event_id))
        for number, branches in enumerate(projects):
            self.closing.append(next(self.ids))
            yield self._made(self.closing[-1], "proposal", f"project.mod{number}", number, branches.tips)
        self.closing.append(next(self.ids))
        yield self._made(self.closing[-1], "proposal", "project.mod0", 0, self.closing[:-1])

    def _made(self, event_id: str, kind: str, scope: str, number: int, parents: list[str], action: str | None = None) -> Made:
        self.graph.add_node(event_id)
        self.graph.add_edges_from((event_id, parent) for parent in parents)
        payload: dict[str, object] = {"action": f"do{number % 7}"}
        if kind != "proposal":
            payload = {"value": 0.02 if kind == "reward" else -0.001}  # no signal ever fades away
        if action is not None:
            payload["action"] = action
        return {
            "id": event_id, "type": kind, "scope": scope, "trace_id": f"t{number // 500}-{number % 10}",
            "agent_id": f"agent-{number % 30}", "payload": payload, "parent_ids": parents,
        }  # fmt: skip


def events(report: Report, size: int = 1_000_000, little: int = 10_000) -> None:
    """Two databases at once, so that both sides of a comparison over the length of the log are measured in turn."""
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
        large.store(told(log))
        where = f"log of {size:,}"
        for name, event_id in (("one project", log.closing[0]), ("all", log.closing[-1])):
            compare_counts(report, large, session, f"{where}, {name}", event_id, "ancestors", log.graph, rounds=5)
        compare_counts(report, large, session, f"{where}, one project", log.first, "descendants", log.graph, rounds=5)
        flat(report, {large: size, small: little})


def told(log: Log) -> Iterator[Made]:
    """With a word now and then."""
    for number, made in enumerate(log, 1):
        if number % 100_000 == 0:
            print(f"  {number:,} events", flush=True)
        yield made


def flat(report: Report, sizes: dict[Rest, int], rounds: int = 100) -> None:
    """What the watched signal's 1,000 moves, it and the field at random moments of the past cost on the long log and on the short one."""
    large, small = sizes
    path = f"/api/signals/{SCOPE}/{PATTERN}"
    live = {rest: len(rest.get("/api/signals", limit=1_000)) for rest in sizes}
    assert live[large] == live[small], "as many live signals in both"

    def explain(rest: Rest) -> Callable[[], object]:
        def ask() -> None:
            found = rest.get(f"{path}/explain", limit=1_000)
            assert found["count"] == len(found["events"]) == MOVES

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
        taken = in_turn({"large": asked(large), "small": asked(small)}, rounds, warm=100)
        detail = f"{milliseconds(taken, 'large')}, {milliseconds(taken, 'small')}; {live[large]} live signals in both"
        name = f"{name}, log of {sizes[large]:,} / of {sizes[small]:,}"
        report.add(name, ratio(taken, "large", "small"), "at most 1.2", detail)
