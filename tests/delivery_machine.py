"""Random appends, disconnects, filters, slow reads and resumes against the real hub, log, history and subscriber: no gap, no repeat,
no reorder, or an explicit end that says where the client stands."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from semp.api.live.query import FollowRequest
from semp.api.live.subscriber import CANNOT_RESUME, GOING_AWAY, TOO_SLOW, Subscriber
from semp.domain.event_types import EVENT_TYPES
from semp.domain.interests import Interest
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.live import history as history_module
from semp.engine.live import hub as hub_module
from semp.engine.ports import Storage
from semp.storage.memory.store import MemoryStore

from tests.strategies import AGENTS, SCOPES, TRACES, random_draft

GLOBS = (*SCOPES, "ui.*", "ui.**", "**", "*.login")
MEANWHILE = ("freeze", "thaw", "come back", "append")
some_interest = st.builds(
    Interest.of,
    st.lists(st.sampled_from(GLOBS), max_size=2),
    st.lists(st.sampled_from(EVENT_TYPES), max_size=2),
    st.lists(st.sampled_from(TRACES), max_size=1),
    st.lists(st.sampled_from(AGENTS), max_size=1),
)


class FakeWire:
    """The far end of a connection whose buffer the test fills and empties."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.on_full: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self.on_silence: Callable[[], None] | None = None
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None

    @property
    def has_room(self) -> bool:
        return self.writable.is_set()

    def write(self, frames: bytes) -> None:
        if self.closed is None:
            self.messages += payloads(frames)

    def send_now(self, frames: bytes) -> int:
        assert self.has_room, "sent to a connection that reported no room"
        self.write(frames)
        return len(frames)

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def freeze(self) -> None:
        self.writable.clear()
        if self.on_full is not None:
            self.on_full()

    def thaw(self) -> None:
        self.writable.set()
        if self.on_writable is not None:
            self.on_writable()


def payloads(frames: bytes) -> list[dict[str, Any]]:
    """The messages of whole unmasked text frames, read as RFC 6455 says."""
    found: list[dict[str, Any]] = []
    while frames:
        assert frames[0] == 0x81
        size, start = frames[1], 2
        if size == 126:
            size, start = int.from_bytes(frames[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(frames[2:10], "big"), 10
        found.append(msgspec.json.decode(frames[start : start + size]))
        frames = frames[start + size :]
    return found


class Client:
    """A client with all its connections, one after the other: what it asked for, and what it has read."""

    def __init__(self, interest: Interest, batch: bool, signals: bool, begin: int) -> None:
        self.interest = interest
        self.batch = batch
        self.signals = signals
        self.begin = begin
        self.seen: list[int] = []
        self.signals_seen: list[tuple[str, str, int]] = []
        self.wire = FakeWire()
        self.subscriber: Subscriber | None = None

    @property
    def position(self) -> int:
        """The position that the client resumes from: that of the last event it has read."""
        return max([self.begin, *self.seen[-1:]])

    def arrived(self) -> tuple[list[int], list[tuple[str, str, int]]]:
        """Positions of events, and signals as (scope, pattern, position), including messages that arrived and were not read yet."""
        seen, signals = list(self.seen), list(self.signals_seen)
        for message in self.wire.messages:
            assert message["type"] == "signal" or (message["type"] == "events") == self.batch
            if message["type"] == "signal":
                data = message["data"]
                assert self.interest.covers_scope(data["scope"])
                signals.append((data["scope"], data["pattern"], data["position"]))
            else:
                seen += [event["position"] for event in (message["data"] if self.batch else [message["data"]])]
        return seen, signals

    def take(self) -> None:
        """Read the messages that arrived."""
        self.seen, self.signals_seen = self.arrived()
        self.wire.messages = []


class Delivery(RuleBasedStateMachine):
    """The service, its log, and clients that come and go."""

    clients: Bundle[Client] = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.patches = [
            patch.object(hub_module, "RING_EVENTS", 6),
            patch.object(hub_module, "SPAN_EVENTS", 4),
            patch.object(hub_module, "LOOKED_AT", 5),
            patch.object(hub_module, "SENDS", 1),
            patch.object(hub_module, "SLICE", 0.0),  # the hub gives way after each unit of work
            patch.object(history_module, "PAGE", 3),
        ]
        for one in self.patches:
            one.start()
        self.loop = asyncio.new_event_loop()
        self.memory = MemoryStore()
        self.everyone: list[Client] = []
        self.random = random.Random(7)
        self.ids: list[str] = []
        self.run(self.begin_service())

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def connection(self) -> Storage:
        """The storage for one run of the service. Each run gets the same log."""
        return self.memory

    async def begin_service(self) -> None:
        self.store = self.connection()
        self.environment = Environment(self.store, Rules(), poll_interval=1000.0, sweep_interval=1000.0)
        await self.environment.start()

    async def settle(self) -> None:
        """Run the loop until every client has received what it has room for."""
        quiet = 0
        while quiet < 60:
            await asyncio.sleep(0)
            quiet = 0 if self.environment.hub.delivering else quiet + 1

    def connect(self, client: Client, after: int | None) -> None:
        client.wire = FakeWire()
        request = FollowRequest(interest=client.interest, after=after, signals=client.signals, batch=client.batch)

        async def start() -> None:
            client.subscriber = Subscriber(
                self.environment.acting(OPEN),
                client.wire,  # type: ignore[arg-type]
                batch=client.batch,
                signals=client.signals,
            )
            client.subscriber.start(await client.subscriber.follow(request))

        self.run(start())

    @rule(count=st.integers(1, 9))
    def append(self, count: int) -> None:
        drafts = [random_draft(self.random, None, self.ids) for _ in range(count)]
        self.run(self.environment.acting(OPEN).append(drafts, batch=True))
        self.ids += [draft.id for draft in drafts]

    @rule(count=st.integers(1, 9), turns=st.integers(1, 12), client=clients, then=st.sampled_from(MEANWHILE))
    def append_and_meanwhile(self, count: int, turns: int, client: Client, then: str) -> None:
        """Something happens while the events are being delivered."""
        self.append(count)

        async def some_turns() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(some_turns())
        if then == "freeze":
            client.wire.freeze()
        elif then == "thaw":
            client.wire.thaw()
        elif then == "come back":
            self.reconnect(client, 0)
        else:
            self.append(count)

    @rule(target=clients, interest=some_interest, batch=st.booleans(), signals=st.booleans(), back=st.none() | st.integers(0, 30))
    def arrive(self, interest: Interest, batch: bool, signals: bool, back: int | None) -> Client:
        head = self.environment.hub.head
        begin = head if back is None else max(0, head - back)
        client = Client(interest, batch, signals, begin)
        self.everyone.append(client)
        self.connect(client, None if back is None else begin)
        return client

    @rule(client=clients)
    def freeze(self, client: Client) -> None:
        client.wire.freeze()

    @rule(client=clients)
    def thaw(self, client: Client) -> None:
        client.wire.thaw()

    @rule(client=clients)
    def read(self, client: Client) -> None:
        client.take()

    @rule(client=clients, lost=st.integers(0, 5))
    def reconnect(self, client: Client, lost: int) -> None:
        """The connection breaks, with the newest messages lost on the way, and the client comes back from where it stands."""
        if client.subscriber is not None:
            client.subscriber.stop()
        keep = len(client.wire.messages) - lost
        client.wire.messages = client.wire.messages[: max(0, keep)]
        client.take()
        self.connect(client, client.position)

    @rule(client=consumes(clients))
    def leave(self, client: Client) -> None:
        client.take()
        if client.subscriber is not None:
            client.subscriber.stop()
        self.everyone.remove(client)

    @rule()
    def restart_the_service(self) -> None:
        for client in self.everyone:
            client.wire.thaw()
        self.run(self.environment.drain(1.0))
        self.run(self.environment.stop())
        self.run(self.settle())
        for client in self.everyone:
            client.take()
            assert client.wire.closed is not None
            assert client.wire.closed[0] in (GOING_AWAY, TOO_SLOW), client.wire.closed
        self.run(self.begin_service())
        for client in self.everyone:
            self.connect(client, client.position)

    @rule()
    def sweep(self) -> None:
        self.environment.hub.sweep()

    @invariant()
    def every_client_has_what_its_interest_covers(self) -> None:
        self.run(self.settle())
        log = self.run(self.store.read(0, 10_000))
        for client in self.everyone:
            seen, signals = client.arrived()
            events = [entry.event for entry in log if entry.event.position > client.begin]
            expected = [event.position for event in events if client.interest.covers(event)]
            assert seen == expected[: len(seen)], "a gap, a repeat or another order"
            if client.wire.closed is not None:
                code, reason = client.wire.closed
                assert code in (GOING_AWAY, TOO_SLOW, CANNOT_RESUME)
                [position] = map(int, re.findall(r"last position (\d+)", reason))
                assert seen == [one for one in expected if one <= position], "the close reason names a wrong position"
            elif client.wire.has_room:
                assert seen == expected, "an event is missing although the connection is open"
            if client.signals and client.wire.closed is None and client.wire.has_room:
                self.assert_signals_are_current(client, signals)

    def assert_signals_are_current(self, client: Client, signals: list[tuple[str, str, int]]) -> None:
        """For every signal that moved after the client came, its newest message tells of the last move."""
        newest = {(scope, pattern): position for scope, pattern, position in signals}
        for signal in self.environment.ledger.signals.values():
            if signal.position > client.begin and client.interest.covers_scope(signal.scope):
                assert newest[signal.key] == signal.position

    def teardown(self) -> None:
        for client in self.everyone:
            if client.subscriber is not None:
                client.subscriber.stop()
        self.run(self.environment.drain(1.0))
        self.run(self.environment.stop())
        self.run(self.settle())
        self.loop.close()
        for one in self.patches:
            one.stop()
