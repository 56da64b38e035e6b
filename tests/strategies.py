"""Shared by the tests: random histories, a slow reference of the protocol, a store with injected faults, a loop that never waits."""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import msgspec
import networkx as nx
from hypothesis import strategies as st
from semp.domain.clock import elapsed_clock, from_text, to_text
from semp.domain.errors import StoreUnavailable
from semp.domain.event_types import EventType
from semp.domain.events import Draft, Event, NewEvent, draft, new_id
from semp.domain.scopes import lineage_of
from semp.domain.signals import Key, Move, Rules, Signal
from semp.engine.committer import Committer
from semp.engine.environment import Environment
from semp.engine.ledger import Ledger
from semp.engine.live.hub import Hub
from semp.engine.log_clock import LogClock
from semp.engine.planning import Recorded
from semp.engine.ports import EventLog, Storage
from semp.engine.ranking import EVERYTHING, SignalView, Wanted
from semp.engine.records import Entry, LogState, Plan
from semp.storage.memory.store import MemoryStore

T = TypeVar("T")

BEGIN = 1_736_935_800_000
"""Start time of the test clocks, in milliseconds since 1970: 2025-01-15T10:10:00.000Z."""
SCOPES = ("ui", "ui.login", "ui.login.form", "api")
TRACES = ("t1", "t2")
AGENTS = ("ann", "bob", "cy")
ACTIONS = ("a1", "a2", "ä/3")
CREDITS = ({"discount": 0.5}, {"discount": 0.9, "max_depth": 3}, {"discount": 1, "max_depth": 1}, {"discount": 0})


class FakeClock:
    """A clock that stands still at `now`, in milliseconds since 1970, until the test changes it."""

    def __init__(self, now: int = BEGIN) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def make_id(number: int) -> str:
    """A UUID for a small number."""
    return str(uuid.UUID(int=number + 0x7000_0000_0000_0000_0000_0000))


async def live_signals(environment: Environment, wanted: Wanted = EVERYTHING) -> list[SignalView]:
    """The live signals of an environment as answers show them."""
    return (await environment.field.signals(wanted)).views()


def new_draft(
    event_type: EventType = "proposal",
    scope: str = "ui",
    *,
    number: int | None = None,
    parents: Sequence[str] = (),
    trace: str = "t1",
    agent: str = "ann",
    **payload: Any,
) -> Draft:
    """A validated draft. Payload fields that its type requires are filled in; `action=None` leaves the action out."""
    required: dict[str, dict[str, Any]] = {
        "proposal": {"action": "a1"}, "ready": {"status": "ok"}, "test": {"status": "passed"},
        "reward": {"value": 0.5}, "penalty": {"value": -0.2}, "cancel": {},
    }  # fmt: skip
    if event_type == "cancel" and not parents:
        parents = [make_id(0)]
    content = {key: value for key, value in (required[event_type] | payload).items() if value is not None}
    return draft(
        NewEvent(
            type=event_type, scope=scope, trace_id=trace, agent_id=agent, payload=content, parent_ids=list(parents),
            id=None if number is None else make_id(number),
        )
    )  # fmt: skip


@dataclass
class Moment:
    """Events with the same time, and how they are split into submissions."""

    advance: int
    """Milliseconds since the moment before."""
    drafts: list[Draft]
    cuts: list[int] = field(default_factory=list[int])
    """Where to split; taken modulo the number of events plus one."""

    def submissions(self) -> list[list[Draft]]:
        """The drafts in order, split into batches."""
        edges = [0, *sorted({cut % (len(self.drafts) + 1) for cut in self.cuts}), len(self.drafts)]
        return [self.drafts[a:b] for a, b in itertools.pairwise(edges) if a < b]


def random_draft(rng: random.Random, number: int | None, earlier: Sequence[str], **fixed: Any) -> Draft:
    """A random valid event, with up to three of `earlier` as its parents. `fixed`: arguments of `new_draft` that are not random."""
    event_type: EventType = rng.choices(("proposal", "ready", "test", "reward", "penalty"), (3, 1, 1, 4, 3))[0]
    payload: dict[str, Any] = {}
    if event_type == "proposal" or rng.random() < 0.25:
        payload["action"] = rng.choice(ACTIONS)
    if event_type == "reward":
        payload["value"] = rng.choice((0, 0.03, 0.1, 0.5, 1))
        if rng.random() < 0.3:
            payload[rng.choice(("α", "alpha"))] = rng.choice((0, 0.5, 2.0, 7))
    elif event_type == "penalty":
        payload["value"] = rng.choice((0, -0.02, 0.07, -0.4, 1, -1.0))
    if event_type in ("reward", "penalty") and rng.random() < 0.3:
        payload["credit"] = rng.choice(
            ({"discount": 0.5}, {"discount": 0.9, "max_depth": 3}, {"discount": 1, "max_depth": 1}, {"discount": 0})
        )
    parents: list[str] = []
    if earlier and rng.random() < 0.7:
        near = list(earlier[-8:]) if rng.random() < 0.6 else list(earlier)
        parents = rng.sample(near, min(len(near), rng.choice((1, 1, 2, 3))))
    arguments: dict[str, Any] = {
        "scope": rng.choice(SCOPES), "trace": rng.choice(TRACES), "agent": rng.choice(AGENTS), "number": number, "parents": parents,
    } | fixed  # fmt: skip
    return new_draft(event_type, **arguments, **payload)


def random_history(rng: random.Random, moments: int, largest: int = 6, first: int = 1) -> list[Moment]:
    """Random moments of 1 to `largest` events. Time sometimes jumps so far that signals fade. `first`: the number of the first id."""
    history: list[Moment] = []
    ids: list[str] = []
    for _ in range(moments):
        drafts: list[Draft] = []
        for _ in range(rng.randint(1, largest)):
            drafts.append(random_draft(rng, first + len(ids), ids))
            ids.append(drafts[-1].id)
        advance = rng.choice((0, 1, 999, 30_000, 60_000, 61_234, 600_000, 7_200_000))
        history.append(Moment(advance, drafts, [rng.randrange(1_000) for _ in range(rng.randint(0, 4))]))
    return history


def histories(moments: int = 10, largest: int = 6) -> st.SearchStrategy[list[Moment]]:
    """A Hypothesis strategy for random histories; they shrink to fewer moments."""

    def history(seed: int, count: int, size: int) -> list[Moment]:
        return random_history(random.Random(seed), count, size)

    return st.builds(history, st.integers(0, 2**32 - 1), st.integers(1, moments), st.integers(1, largest))


class Reference:
    """A slow reference implementation of docs/protocol.md, "What an event does to a signal" and "Which signal an event moves".

    It shares no code with the service. Every event decays all signals, causes are searched with networkx, and the newest proposal is
    found by a walk through the log.
    """

    def __init__(self) -> None:
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self.log: list[Entry | Recorded] = []
        self.payloads: dict[str, dict[str, Any]] = {}
        self.events: dict[str, Any] = {}
        self.strengths: dict[Key, float] = {}
        self.alphas: dict[Key, float] = {}
        self.lambdas: dict[Key, float] = {}
        self.updated: dict[Key, int] = {}
        self.intervals: dict[Key, float] = {}
        self.now = 0

    def decay(self, now: int) -> None:
        """Decay every signal to `now`, in milliseconds since 1970. Signals below 0.01 are deleted."""
        seconds = (now - self.now) / 1000
        for key in list(self.strengths):
            self.strengths[key] *= self.lambdas[key] ** (seconds / self.intervals[key])
            if self.strengths[key] < 0.01:
                del self.strengths[key]
        self.now = now

    def add(self, event: Any, rules: Rules) -> list[Move]:
        """Apply one stored event under the rules in force at its position. Returns its moves."""
        now = from_text(event.timestamp)
        assert now >= self.now, "time runs backwards"
        self.decay(now)
        payload = msgspec.json.decode(bytes(event.payload))
        self.graph.add_node(event.id)
        self.graph.add_edges_from((event.id, parent) for parent in event.parent_ids)
        moves: list[Move] = []
        for key, share in self.targets(event, payload, rules).items():
            before = self.strengths.get(key)
            if event.type in ("proposal", "ready", "test"):
                after = 0.3 if before is None else before
            elif event.type == "reward":
                own = payload.get("α", payload.get("alpha"))
                if own is None:
                    own = rules.alpha if before is None else self.alphas[key]
                after = min(1.0, (before or 0.0) + payload["value"] * share * own)
            elif before is None:
                continue
            else:
                after = max(0.0, before - abs(payload.get("value", 0.3)) * share)
            if before is None:
                self.alphas[key], self.lambdas[key], self.intervals[key] = rules.alpha, rules.lambda_, rules.interval
            self.updated[key] = now
            self.strengths[key] = after
            if after < 0.01:
                del self.strengths[key]
                after = 0.0
            moves.append(Move(*key, before or 0.0, after, share))
        self.events[event.id] = event
        self.payloads[event.id] = payload
        return moves

    def targets(self, event: Any, payload: dict[str, Any], rules: Rules) -> dict[Key, float]:
        """The signals that an event moves, and the share of its value that each of them gets."""
        answered, hops = self.answered(event, payload)
        shares = dict.fromkeys(answered, 1.0)
        credit = payload.get("credit", {"discount": rules.credit_discount, "max_depth": rules.credit_depth})
        if event.type in ("reward", "penalty") and credit["discount"]:
            away: dict[str, int] = nx.single_source_shortest_path_length(self.graph, event.id, cutoff=credit.get("max_depth", 8))
            above = [cause for cause in away if away[cause] > hops and self.events[cause].type == "proposal"]
            for cause in sorted(above, key=lambda cause: (away[cause], -self.events[cause].position)):
                key = self.events[cause].scope, self.payloads[cause]["action"]
                shares.setdefault(key, credit["discount"] ** (away[cause] - hops))
        return shares

    def answered(self, event: Any, payload: dict[str, Any]) -> tuple[list[Key], int]:
        """The signals that an event answers to, and their distance from it in PARENT hops."""
        if payload.get("action") is not None and event.type != "cancel":
            return [(event.scope, payload["action"])], 0
        nearest = self.nearest(event.id)
        if nearest:
            hops = cast("int", nx.shortest_path_length(self.graph, event.id, nearest[0]))
            return list(dict.fromkeys((self.events[cause].scope, self.payloads[cause]["action"]) for cause in nearest)), hops
        for earlier in reversed(self.events.values()):
            if (earlier.type, earlier.trace_id, earlier.scope) == ("proposal", event.trace_id, event.scope):
                return [(earlier.scope, self.payloads[earlier.id]["action"])], 0
        return [], 0

    def nearest(self, event_id: str) -> list[str]:
        """The proposals among the causes of the event at the smallest distance, in log order."""
        away: dict[str, int] = nx.single_source_shortest_path_length(self.graph, event_id)
        proposals = [cause for cause in away if cause != event_id and self.events[cause].type == "proposal"]
        smallest = min((away[cause] for cause in proposals), default=0)
        return sorted((cause for cause in proposals if away[cause] == smallest), key=lambda cause: self.events[cause].position)


class FlakyStore:
    """A store whose calls take a random time and sometimes fail, before or after `inner` did the work.

    `rate` is the probability of a fault at each of these two points of a call. `faults` counts the faults.
    """

    def __init__(self, inner: Storage, rng: random.Random, rate: float = 0.05) -> None:
        self.inner = inner
        self.rng = rng
        self.rate = rate
        self.faults = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self.hop()
            answer = await method(*arguments, **named)
            await self.hop()
            return answer

        return call

    def require_room(self) -> None:
        self.inner.require_room()

    async def hop(self) -> None:
        """Let other tasks run for a random time, then raise StoreUnavailable with the probability `rate`."""
        for _ in range(self.rng.choice((0, 0, 1, 2, 5))):
            await asyncio.sleep(0)
        if self.rng.random() < 0.3:
            await asyncio.sleep(self.rng.random() * 0.02)
        if self.rng.random() < self.rate:
            self.faults += 1
            raise StoreUnavailable("injected")

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Any]:
        await self.hop()
        async with self.inner.turn() as turn:
            yield FlakyTurn(self, turn)
            await self.hop()
        await self.hop()


class FlakyTurn:
    """The turn of a FlakyStore."""

    def __init__(self, store: FlakyStore, inner: Any) -> None:
        self._store = store
        self._inner = inner
        self.state = inner.state

    async def append(self, plan: Any) -> None:
        await self._store.hop()
        await self._inner.append(plan)


class Writer:
    """A committer with its ledger and hub. `fed` holds the entries that the committer gave to `on_commit`, in order."""

    def __init__(self, store: EventLog, state: Any, signals: Iterable[Any] | None, clock: Callable[[], int], **settings: Any) -> None:
        elapsed = settings.pop("elapsed", elapsed_clock)
        self.ledger = Ledger(state, signals)
        self.hub = Hub(state.head)
        self.begin = state.head
        self.fed: list[Entry] = []
        self.resets = 0
        settings = {"rules": state.rules[-1], "patience": 30.0, "poll_interval": 0.05} | settings
        self.committer = Committer(store, self.ledger, LogClock(clock, elapsed), on_commit=self._feed, on_reset=self._reset, **settings)
        self.committer.start()

    @classmethod
    async def on(cls, store: Any, clock: Callable[[], int] | None = None, rules: Rules | None = None, **settings: Any) -> Writer:
        """Open the store and start a committer on it."""
        state, signals = await store.open(rules or Rules())
        return cls(store, state, signals, clock or FakeClock(), **settings)

    def _feed(self, entries: Sequence[Entry]) -> None:
        self.hub.publish(entries)
        self.fed.extend(entries)

    def _reset(self) -> None:
        self.resets += 1
        self.fed.clear()
        self.begin = self.ledger.state.head
        self.hub.reset(self.begin)

    async def append(self, *drafts: Draft, batch: bool | None = None) -> list[Recorded]:
        """Submit the drafts and wait for the answer. `batch`: whether they are sent as a batch; by default when there are several."""
        return await self.committer.submit(drafts, batch=len(drafts) > 1 if batch is None else batch)

    def assert_fed_in_order(self) -> None:
        """The positions in `fed` follow one another without gap or repeat."""
        assert [entry.event.position for entry in self.fed] == list(range(self.begin + 1, self.begin + 1 + len(self.fed)))


async def play(writer: Writer, clock: FakeClock, history: Iterable[Moment], *, one_by_one: bool = False) -> None:
    """Append a history; each submission waits for the one before it."""
    for moment in history:
        clock.now += moment.advance
        for submission in [[one] for one in moment.drafts] if one_by_one else moment.submissions():
            await writer.append(*submission)


async def whole_log(log: EventLog) -> list[Entry]:
    """Every entry, read from the store in small pages."""
    found: list[Entry] = []
    while page := await log.read(len(found), 137):
        found.extend(page)
    return found


class _SkippingSelector(selectors.SelectSelector):
    """Never waits: where it would wait for a timeout, it moves the loop's clock forward by that time."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise AssertionError("deadlock: every task waits, and nothing will wake one of them")
        self.skipped += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop for pure asyncio code in which sleeping takes no time; interleavings depend on the code and its seeds alone."""

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


def run_skipping(work: Awaitable[T]) -> T:
    """Run a coroutine on a SkippingLoop; raises TimeoutError after an hour of simulated time."""

    async def bounded() -> T:
        async with asyncio.timeout(3600):
            return await work

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(bounded())


def entry_of(new: Draft, position: int, now: int = BEGIN, **decided: Any) -> Entry:
    """The entry that the log would hold for a draft at a position. For tests that write plans by hand."""
    event = Event(
        new.id, new.type, new.scope, new.trace_id, new.agent_id, new.parent_ids,
        to_text(now), msgspec.Raw(new.payload.encode()), position,
    )  # fmt: skip
    facts: dict[str, Any] = {"nearest": (), "distance": 0, "answers": None} | decided
    return Entry(event, new.action, value=new.value, alpha=new.alpha, **facts)


def selects(glob: str, scope: str) -> bool:
    """Whether a glob selects a scope, by its definition: segment by segment."""
    if glob == "**":
        return True
    (first, dot, pattern), (segment, more, rest) = glob.partition("."), scope.partition(".")
    if first not in ("*", segment):
        return False
    return bool(more) and selects(pattern, rest) if dot else not more


def plan_of(
    after: LogState, *drafts: Draft, now: int = BEGIN, signals: Iterable[Signal] = (), born: set[Key] | None = None, **decided: Any
) -> Plan:
    """A plan that appends these drafts unchanged. `born`: the signals that are new; by default all of `signals`."""
    entries = [entry_of(new, after.head + index, now, **decided) for index, new in enumerate(drafts, 1)]
    scopes = {path: parent for new in drafts for path, parent in lineage_of(new.scope)}
    states = {signal.key: signal for signal in signals}
    return Plan(
        after=after, tip=new_id(), entries=entries, signals=states, born=set(states) if born is None else born, scopes=scopes,
        timestamp=now, shifts=after.shifts,
    )  # fmt: skip


async def filled(store: Storage, seed: int, moments: int = 30) -> list[Entry]:
    """Write a random log, planned on a MemoryStore, to `store` in one append. Returns its entries in order, with their moves."""
    memory, clock = MemoryStore(), FakeClock()
    writer = await Writer.on(memory, clock)
    await play(writer, clock, random_history(random.Random(seed), moments))
    await writer.committer.close()
    state, _ = await store.open(Rules())
    scopes = {path: parent for entry in memory.log for path, parent in lineage_of(entry.event.scope)}
    plan = Plan(
        after=state, tip=new_id(), entries=memory.log, signals=dict(memory.states), born=set(memory.states), scopes=scopes,
        timestamp=memory.current.last_timestamp,
    )  # fmt: skip
    assert await store.append(plan)
    return memory.log


async def let_others_run(store: Storage) -> None:
    """Let requests that already run end, unless the store makes them wait: read the state 20 times, one read after the other.

    For a check that another task waits. On a store that wrongly does not make it wait, its request ends during these reads.
    """
    for _ in range(20):
        await asyncio.sleep(0)  # a read from memory does not yield to other tasks by itself
        await store.state()


async def few_at_a_time(work: Iterable[Coroutine[Any, Any, T]], most: int = 8) -> list[T]:
    """Like asyncio.gather, but with at most `most` running at a time, so that the connections of the driver are enough."""
    gate = asyncio.Semaphore(most)

    async def wait(one: Coroutine[Any, Any, T]) -> T:
        async with gate:
            return await one

    return await asyncio.gather(*map(wait, work))
