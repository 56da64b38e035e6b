"""Replicas that hand events on over connections that break, stall and come back, and over leases that are wrong, lose and double nothing.

Everything is real but the network and the store: handshakes, frames, the choice of the leader, committers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest
from semp.domain.errors import InvalidInput, OutcomeUnknown
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.engine.following import Answer, LeaderLost
from semp.engine.planning import Submission
from semp.engine.records import Entry
from semp.relays.handing_on.handshake import NotAReplica, prove_to_follower, prove_to_leader
from semp.relays.handing_on.replica import LEASE, Replica, parsed_address
from semp.storage.memory.store import MemoryStore

from tests.senders import Outcomes, check, guarded, send
from tests.strategies import FakeClock, FlakyStore, Writer, make_id, new_draft, run_skipping
from tests.waiting import until

Callback = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class End:
    """One end of a connection: a StreamWriter whose bytes reach the other end's reader in order, after a random time."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.reader = asyncio.StreamReader()
        self.other: End
        self.transport = self
        self.closed = False
        self.unsent: asyncio.Queue[bytes] = asyncio.Queue()
        self.task = asyncio.create_task(self._deliver())

    def write(self, data: bytes) -> None:
        self.unsent.put_nowait(data)

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _: str) -> str:
        return "a test"

    def close(self) -> None:
        """Close it once what was written is delivered."""
        self.closed = True
        self.unsent.put_nowait(b"")

    def abort(self) -> None:
        """Break the connection. What this end wrote may still be read by the other one, as by a process that was frozen."""
        self.closed = True
        self.reader.feed_eof()
        if self.network.rng.random() < 0.5:
            self.unsent.put_nowait(b"")
        else:
            self.task.cancel()
            self.other.reader.feed_eof()

    async def _deliver(self) -> None:
        while data := await self.unsent.get():
            await asyncio.sleep(self.network.delay())
            self.other.reader.feed_data(data)
        self.closed = True
        self.other.reader.feed_eof()


class Network:
    """Connections in memory. Stands in for `asyncio.start_server` and `asyncio.open_connection`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.listening: dict[int, Callback] = {}
        self.ends: list[End] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.connections = 0

    def delay(self) -> float:
        """Seconds: mostly short, sometimes so long that the leader counts as lost before its frames arrive."""
        return 6 * self.rng.random() if self.rng.random() < 0.05 else 0.005 * self.rng.random()

    async def start_server(self, callback: Callback, _host: str, _port: int) -> Any:
        self.listening[port := len(self.listening) + 1] = callback
        return _Server(port)

    async def open_connection(self, _host: str, port: int) -> tuple[asyncio.StreamReader, Any]:
        await asyncio.sleep(self.delay())
        if self.rng.random() < 0.2:
            raise ConnectionRefusedError("injected")
        near, far = End(self), End(self)
        near.other, far.other = far, near
        self.ends += (near, far)
        self.connections += 1
        serving = asyncio.ensure_future(self.listening[port](far.reader, cast("Any", far)))
        self.tasks.add(serving)
        return near.reader, near

    async def break_some(self) -> None:
        """Break a connection now and then."""
        while True:
            await asyncio.sleep(self.rng.random())
            if self.ends:
                self.rng.choice(self.ends).abort()

    async def close(self) -> None:
        for end in self.ends:
            end.task.cancel()
            end.reader.feed_eof()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class _Server:
    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets = [self]

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def close(self) -> None:
        pass


async def storm(seed: int, patch: pytest.MonkeyPatch, *, rate: float, breaks: bool, moves: bool = False) -> int:
    """Clients on three replicas; returns how many events were handed on."""
    rng, loop = random.Random(seed), asyncio.get_running_loop()
    network = Network(random.Random(rng.random()))
    patch.setattr(asyncio, "start_server", network.start_server)
    patch.setattr(asyncio, "open_connection", network.open_connection)
    inner, clock = MemoryStore(lambda: int(loop.time() * 1000)), FakeClock()
    stores = [FlakyStore(inner, random.Random(rng.random()), 0.0) for _ in range(3)]
    environments: list[Environment] = []
    fed: list[list[Entry]] = []
    replicas: list[Replica] = []
    for store in stores:
        environment = Environment(cast("Any", store), Rules(), clock=clock, poll_interval=rng.choice((0.05, 1000)), sweep_interval=10**6)
        await environment.start()
        fed.append([])
        environment.growth.add(fed[-1].extend)
        environments.append(environment)
        replicas.append(Replica(environment, ("127.0.0.1", 0)))
        await replicas[-1].start()
    for store in stores:
        store.rate = rate

    async def leases_go_wrong() -> None:
        while True:
            await asyncio.sleep(2 * rng.random())
            clock.now += rng.choice((0, 5, 50_000))
            held = await inner.lease(LEASE)
            if held is not None and rng.random() < 0.3:
                await inner.release(held)

    disturbing = [asyncio.create_task(work()) for work in ((network.break_some, leases_go_wrong) if breaks else ())]
    await until(lambda: any(environment.committer.following.active for environment in environments))
    outcomes = Outcomes()
    writers = cast("list[Writer]", environments)
    for _ in range(3):
        await asyncio.gather(*(send(random.Random(rng.random()), writers, rng.randint(1, 10**6), outcomes) for _ in range(12)))
        await asyncio.sleep(rng.random())
    for task in disturbing:
        task.cancel()
    for store in stores:
        store.rate = 0.0
    for environment in environments:
        await environment.committer.close()
    for replica in replicas:
        await replica.stop()
    await network.close()
    handed_on = sum(environment.committer.following.handed_on for environment in environments)
    for environment in environments:
        await environment.halt()
    entries = await check(inner, outcomes, moves=moves)
    for one in fed:
        assert [entry.event for entry in one] == [entry.event for entry in entries[: len(one)]]
        assert [entry.moves for entry in one] == [entry.moves for entry in inner.log[: len(one)]]
        assert [entry.encoded for entry in one] == [entry.encoded for entry in inner.log[: len(one)]]
    return handed_on


@pytest.mark.parametrize(("rate", "breaks"), [(0.0, False), (0.0, True), (0.03, True), (0.15, True)])
def test_nothing_is_lost_or_doubled_and_no_refused_event_appears(
    rate: float, breaks: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handed_on: list[int] = []

    async def one(seed: int) -> None:
        with monkeypatch.context() as patch:
            handed_on.append(await storm(seed, patch, rate=rate, breaks=breaks, moves=not breaks))

    for seed in range(15):
        guarded(partial(one, seed), f"seed {seed}")
    assert sum(handed_on) > 0
    if not rate:
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


class LostLeader:
    """A leader whose connection breaks during every append."""

    connected = True

    def __init__(self, sent: bool) -> None:
        self.sent = sent

    async def append(self, submissions: Sequence[Submission]) -> list[Answer]:
        raise LeaderLost(self.sent)


@pytest.mark.parametrize("sent", [False, True])
async def test_an_event_that_the_lost_leader_may_still_append_is_not_refused(sent: bool) -> None:
    """Its parent may come before a frozen leader looks for it. A 400 would say that it will never be stored."""
    writer = await Writer.on(MemoryStore())
    writer.committer.following.leader = LostLeader(sent)
    with pytest.raises(OutcomeUnknown if sent else InvalidInput):
        await writer.append(new_draft(number=1, parents=[make_id(7)]))
    [recorded] = await writer.append(new_draft(number=2))
    assert (recorded.created, recorded.event.position, len(recorded.moves)) == (True, 1, 1)
    await writer.committer.close()


@pytest.mark.parametrize(("leader", "follower"), [(b"secret", b"other"), (b"other", b"secret")])
def test_neither_end_trusts_one_that_does_not_know_the_secret(leader: bytes, follower: bytes) -> None:
    async def meet() -> tuple[object, object]:
        network = Network(random.Random(1))
        network.delay = lambda: 0.0
        near, far = End(network), End(network)
        near.other, far.other = far, near
        try:
            return await asyncio.gather(
                prove_to_follower(near.reader, cast("Any", near), leader),
                prove_to_leader(far.reader, cast("Any", far), follower),
                return_exceptions=True,
            )
        finally:
            near.abort()

    of_leader, of_follower = run_skipping(meet())
    assert isinstance(of_leader, NotAReplica)
    assert isinstance(of_follower, TimeoutError), "it gets no proof"


@pytest.mark.parametrize("text", ["", "5001", "host", ":5001", "host:", "host:port", "host:65536", "host:-1"])
def test_a_wrong_address_is_named(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed_address(text)
    assert [error.field for error in caught.value.fields] == ["--replica-address"]


def test_addresses() -> None:
    assert parsed_address("10.0.0.1:5001") == ("10.0.0.1", 5001)
    assert parsed_address("[::1]:0") == ("::1", 0)
