"""Emitting: stored once whatever happens on the way, in order, in few requests."""

from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from semp_sdk import Client, Conflict, InvalidEvent, NotFound, OutboxFull, ServiceFault, TooLarge, Unavailable, new_id

from tests.conftest import Service, free_port
from tests.waiting import until

from .conftest import WITHIN, Exchange, Proxy


async def commit_and_drop(exchange: Exchange) -> None:
    """The service stores it, and the client is not told."""
    await exchange.forward()
    exchange.drop()


async def full(exchange: Exchange) -> None:
    exchange.writer.write(answer(503, b'{"message":"full"}', b"retry-after: 1\r\n"))


def answer(status: int, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d x\r\nconnection: close\r\n%bcontent-length: %d\r\n\r\n%b" % (status, headers, len(body), body)


async def stored(client: Client, trace_id: str) -> list[str]:
    """Ids of a trace in the order of the log."""
    return [event.id for event in await client.events(trace_id=trace_id, order="asc", limit=1000)]


async def test_what_is_emitted_is_stored_and_answered(client: Client) -> None:
    scope = f"emit.{uuid.uuid4().hex}"
    first = await client.emit("proposal", scope, {"action": "x", "ü": [1, 1.5, None]}, trace_id="t")
    second = await client.emit("reward", scope, {"value": 0.5}, trace_id="t", agent_id="critic", parent_ids=[first.id])
    assert first.position is not None
    assert (second.position, second.agent_id, second.parent_ids) == (first.position + 1, "critic", [first.id])
    assert [(move.scope, move.pattern) for move in second.signals] == [(scope, "x")]
    found = await client.event(first.id)
    assert (found.payload, found.timestamp, found.position) == (first.payload, first.timestamp, first.position)
    assert [event.id for event in await client.events(scope=scope)] == [second.id, first.id]
    signal = await client.signal(scope, "x")
    assert signal is not None
    assert signal.strength > 0.8
    assert [found.id for found in await client.signals(scope=scope)] == [signal.id]
    assert await client.signal(scope, "never") is None
    await client.emit("proposal", scope, {"action": "a/b? #%41ü"}, trace_id="t")
    odd = await client.signal(scope, "a/b? #%41ü")
    assert odd is not None
    assert odd.pattern == "a/b? #%41ü"


async def test_the_same_event_again_is_one_event_and_another_with_its_id_a_conflict(client: Client) -> None:
    event_id = new_id()
    first = await client.emit("ready", "emit", {"status": "x"}, trace_id="t", id=event_id)
    assert (await client.emit("ready", "emit", {"status": "x"}, trace_id="t", id=event_id)).position == first.position
    with pytest.raises(Conflict):
        await client.emit("ready", "emit", {"status": "y"}, trace_id="t", id=event_id)


async def test_refusals_are_typed_and_name_the_field(client: Client) -> None:
    with pytest.raises(InvalidEvent) as refused:
        await client.emit("reward", "emit", {"value": 7}, trace_id="t")
    assert [error.field for error in refused.value.errors] == ["payload.value"]
    with pytest.raises(TooLarge):
        await client.emit("ready", "emit", {"status": "x" * 300_000}, trace_id="t")
    with pytest.raises(TooLarge):
        await client.emit("ready", "emit", {"status": "x" * 3_000_000}, trace_id="t")
    with pytest.raises(InvalidEvent, match="JSON"):
        await client.emit("ready", "emit", {"status": object()}, trace_id="t")
    with pytest.raises(InvalidEvent, match="NaN"):
        await client.emit("ready", "emit", {"status": "x", "deep": [{"a": (1, float("nan"))}]}, trace_id="t")
    with pytest.raises(InvalidEvent, match="trace_id"):
        await client.emit("ready", "emit", {"status": "x"})
    with pytest.raises(NotFound):
        await client.event(new_id())


async def test_a_full_service_is_asked_again_after_the_time_it_names(proxy: Proxy) -> None:
    proxy.faults = [full, full]
    async with Client(proxy.url, agent_id="a") as client:
        began = asyncio.get_running_loop().time()
        emitted = await client.emit("ready", "emit", {"status": "x"}, trace_id="t")
        assert asyncio.get_running_loop().time() - began >= 2
    assert emitted.position is not None
    assert len(proxy.posts()) == 3


async def test_an_answer_that_is_lost_after_the_commit_leaves_one_event(proxy: Proxy) -> None:
    trace_id = uuid.uuid4().hex
    async with Client(proxy.url, agent_id="a") as client:
        proxy.faults = [commit_and_drop, commit_and_drop]
        emitted = await client.emit("ready", "emit", {"status": "x"}, trace_id=trace_id)
        assert len(proxy.posts()) == 3
        assert await stored(client, trace_id) == [emitted.id]


async def test_a_batch_whose_answer_is_lost_is_stored_once_and_in_order(proxy: Proxy) -> None:
    trace_id = uuid.uuid4().hex
    async with Client(proxy.url, agent_id="a") as client:
        proxy.faults = [commit_and_drop, full, commit_and_drop]
        emitted = await asyncio.gather(*(client.emit("ready", "emit", {"status": str(n)}, trace_id=trace_id) for n in range(50)))
        assert await stored(client, trace_id) == [event.id for event in emitted]
    assert len(proxy.posts()) == 4


async def test_a_service_that_is_too_slow_is_asked_again_and_stores_once(proxy: Proxy) -> None:
    trace_id = uuid.uuid4().hex

    async def slow(exchange: Exchange) -> None:
        await exchange.forward()
        await asyncio.Event().wait()  # never set; cancelled at the end of the test

    proxy.faults = [slow]
    async with asyncio.timeout(WITHIN), Client(proxy.url, agent_id="a", timeout=0.5) as client:
        emitted = await client.emit("ready", "emit", {"status": "x"}, trace_id=trace_id)
        assert await stored(client, trace_id) == [emitted.id]


async def test_patience_ends_with_unavailable(service: Service) -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", agent_id="a", patience=0.3) as client:
        with pytest.raises(Unavailable):
            await client.emit("ready", "emit", {"status": "x"}, trace_id="t")
        with pytest.raises(Unavailable):
            await client.signals()


async def test_a_batch_whose_patience_ends_ends_as_a_whole(proxy: Proxy) -> None:
    async def drop(exchange: Exchange) -> None:
        exchange.drop()

    proxy.faults = [drop] * 1_000
    async with Client(proxy.url, agent_id="a", patience=0.3) as client:
        emits = (client.emit("ready", "emit", {"status": "x"}, trace_id="t") for _ in range(500))
        answers = await asyncio.gather(*emits, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert len(proxy.posts()) < 10


async def test_answers_of_something_that_is_not_the_service_are_faults(proxy: Proxy) -> None:
    async def page(exchange: Exchange) -> None:
        exchange.writer.write(answer(200, b"<html>"))

    async def teapot(exchange: Exchange) -> None:
        exchange.writer.write(answer(418, b"<html>"))

    async def elsewhere(exchange: Exchange) -> None:
        exchange.writer.write(answer(302, b"", b"location: http://127.0.0.1:9/\r\n"))

    async with Client(proxy.url, agent_id="a", patience=5) as client:
        for fault in (page, teapot, elsewhere):
            proxy.faults = [fault]
            with pytest.raises(ServiceFault):
                await client.emit("ready", "emit", {"status": "x"}, trace_id="t")
            proxy.faults = [fault]
            with pytest.raises(ServiceFault):
                await client.signals()


async def test_many_emits_share_few_requests_and_keep_their_order(proxy: Proxy) -> None:
    trace_id = uuid.uuid4().hex
    async with Client(proxy.url, agent_id="a") as client:
        emitted = await asyncio.gather(*(client.emit("ready", "emit", {"status": str(n)}, trace_id=trace_id) for n in range(2_500)))
    positions = [event.position or 0 for event in emitted]
    assert positions == list(range(positions[0], positions[0] + 2_500))
    assert len(proxy.posts()) == 3


async def test_of_a_batch_only_what_is_refused_fails_and_its_effects_with_it(client: Client) -> None:
    trace_id = uuid.uuid4().hex
    bad, child = new_id(), new_id()
    found = await asyncio.gather(
        client.emit("ready", "emit", {"status": "1"}, trace_id=trace_id),
        client.emit("reward", "emit", {"value": 2}, trace_id=trace_id, id=bad),
        client.emit("ready", "emit", {"status": "2"}, trace_id=trace_id, parent_ids=[bad], id=child),
        client.emit("ready", "emit", {"status": "3"}, trace_id=trace_id, parent_ids=[child]),
        client.emit("ready", "emit", {"status": "x" * 300_000}, trace_id=trace_id),
        client.emit("ready", "emit", {"status": "4"}, trace_id=trace_id),
        return_exceptions=True,
    )
    assert [type(answer).__name__ for answer in found] == ["Emitted", *["InvalidEvent"] * 3, "TooLarge", "Emitted"]
    assert isinstance(found[1], InvalidEvent)
    assert [error.field for error in found[1].errors] == ["payload.value"]
    assert isinstance(found[2], InvalidEvent)
    assert bad in str(found[2])
    assert len(await stored(client, trace_id)) == 2


async def test_a_conflict_in_a_batch_fails_alone(client: Client) -> None:
    taken = await client.emit("ready", "emit", {"status": "x"}, trace_id="t")
    first, second = await asyncio.gather(
        client.emit("ready", "emit", {"status": "y"}, trace_id="t", id=taken.id),
        client.emit("ready", "emit", {"status": "z"}, trace_id="t"),
        return_exceptions=True,
    )
    assert isinstance(first, Conflict)
    assert not isinstance(second, BaseException)


async def test_an_emit_cancelled_while_it_waits_is_not_sent(proxy: Proxy) -> None:
    trace_id = uuid.uuid4().hex
    held = asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        await held.wait()
        exchange.writer.write(await exchange.forward())

    proxy.faults = [hold]
    async with Client(proxy.url, agent_id="a") as client:
        first, second, third = (
            asyncio.create_task(client.emit("ready", "emit", {"status": str(n)}, trace_id=trace_id)) for n in range(3)
        )  # fmt: skip
        await until(lambda: bool(proxy.requests))
        late = asyncio.create_task(client.emit("ready", "emit", {"status": "late"}, trace_id=trace_id))
        await asyncio.sleep(0)
        late.cancel()
        held.set()
        emitted = await asyncio.gather(first, second, third)
        assert await stored(client, trace_id) == [event.id for event in emitted]


async def test_emit_nowait_keeps_the_order_and_flush_tells_what_failed(client: Client) -> None:
    with client.trace() as trace:
        first = client.emit_nowait("ready", "emit", {"status": "1"})
        second = await client.emit("ready", "emit", {"status": "2"})
        assert second.parent_ids == [first.id]
        await client.flush()
        client.emit_nowait("reward", "emit", {"value": 2})
        with pytest.raises(InvalidEvent):
            await client.flush()
        await client.flush()
    assert await stored(client, trace.id) == [first.id, second.id]


async def test_threads_emit_blocking_or_without_waiting(client: Client) -> None:
    trace_id = uuid.uuid4().hex
    ids: list[str] = []

    def work() -> None:
        ids.append(client.emit_blocking("ready", "emit", {"status": "1"}, trace_id=trace_id).id)
        ids.append(client.emit_nowait("ready", "emit", {"status": "2"}, trace_id=trace_id).id)

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)
    await client.flush()
    assert await stored(client, trace_id) == ids
    with pytest.raises(RuntimeError):
        client.emit_blocking("ready", "emit", {"status": "1"}, trace_id=trace_id)


async def test_what_may_wait_is_bounded(proxy: Proxy) -> None:
    held = asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        await held.wait()
        exchange.writer.write(await exchange.forward())

    proxy.faults = [hold]
    async with Client(proxy.url, agent_id="a", capacity=5) as client:
        for _ in range(5):
            client.emit_nowait("ready", "emit", {"status": "x"}, trace_id="t")
        with pytest.raises(OutboxFull):
            client.emit_nowait("ready", "emit", {"status": "x"}, trace_id="t")
        waiting = asyncio.create_task(client.emit("ready", "emit", {"status": "x"}, trace_id="t"))
        await until(lambda: bool(proxy.requests))
        assert not waiting.done()
        held.set()
        assert (await waiting).position
        await client.flush()


async def test_closing_sends_what_was_left_without_waiting(service: Service) -> None:
    async with Client(service.url, agent_id="a") as client:
        event = client.emit_nowait("ready", "emit", {"status": "x"}, trace_id="t")
    async with Client(service.url + "/api/", agent_id="a") as client:
        assert (await client.event(event.id)).position


def test_a_client_says_so_when_it_is_used_on_two_loops(service: Service) -> None:
    client = Client(service.url, agent_id="a")

    async def use() -> None:
        await client.signals()

    first = asyncio.new_event_loop()
    first.run_until_complete(use())
    second = asyncio.new_event_loop()
    with pytest.raises(RuntimeError, match="another event loop"):
        second.run_until_complete(use())
    first.run_until_complete(client.close())
    first.close()
    second.close()


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://localhost", "", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Client(url)


def test_ids_are_version_7_and_increase() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(uuid.UUID(found).version, uuid.UUID(found).variant) for found in ids} == {(7, uuid.RFC_4122)}
