"""The outbox: emitted events reach the log once and in order, whatever process dies in between."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from semp_sdk import Busy, Client, OutboxFull, SempError
from semp_sdk.outbox import Outbox

from tests.conftest import Service, free_port
from tests.events import unique
from tests.waiting import until

from .conftest import SOURCE, Exchange, Proxy, lines_until_killed

AGENT = """
import asyncio, sys
sys.path.insert(0, {source!r})
from semp_sdk import Client

async def main():
    async with Client({url!r}, agent_id="a", outbox={outbox!r}) as client:
        with client.trace({trace!r}):
            for number in range(1_000_000):
                event = await client.emit("ready", "outbox", {{"status": str(number)}})
                print(event.id, flush=True)

asyncio.run(main())
"""


async def of_trace(client: Client, trace_id: str) -> list[Any]:
    """The events of a trace in the order of the log."""
    events: list[Any] = []
    while page := await client.events(trace_id=trace_id, order="asc", limit=1000, after=events[-1].position if events else None):
        events += page
    return events


def emit_until_killed(url: str, outbox: Path, trace_id: str, count: int) -> list[str]:
    """Run an agent and kill it once `emit` has returned `count` events; the ids of all events that it returned."""
    return lines_until_killed(AGENT.format(source=str(SOURCE), url=url, outbox=str(outbox), trace=trace_id), count)


@pytest.mark.parametrize("away", [True, False], ids=["service away", "service there"])
async def test_a_killed_agent_loses_no_event_and_stores_none_twice(service: Service, tmp_path: Path, away: bool) -> None:
    trace_id = unique("t")
    url = f"http://127.0.0.1:{free_port()}" if away else service.url
    returned: list[str] = []
    for life in range(3):
        returned += await asyncio.to_thread(emit_until_killed, url, tmp_path / "out", f"{trace_id}-{life}", 40 + 30 * life)
    async with Client(service.url, agent_id="a", outbox=tmp_path / "out") as client:
        await client.flush()
        events = [event for life in range(3) for event in await of_trace(client, f"{trace_id}-{life}")]
    assert [event.position for event in events] == sorted({event.position for event in events})
    assert set(returned) <= {event.id for event in events}, "every event that emit returned is in the log"
    for life in range(3):
        statuses = [event.payload["status"] for event in events if event.trace_id == f"{trace_id}-{life}"]
        assert statuses == [str(number) for number in range(len(statuses))], "each once, in order"
    assert not (tmp_path / "out.rejected").exists()


async def test_a_crash_before_the_sent_position_is_saved_stores_no_event_twice(service: Service, tmp_path: Path) -> None:
    trace_id = unique("t")
    async with Client(service.url, agent_id="a", outbox=tmp_path / "out") as client:
        ids = [(await client.emit("ready", "outbox", {"status": "x"}, trace_id=trace_id)).id for _ in range(20)]
        await client.flush()
    (tmp_path / "out.sent").unlink()  # as after a crash before it was written
    async with Client(service.url, agent_id="a", outbox=tmp_path / "out") as client:
        assert not client_outbox(client).empty
        await client.flush()
        assert [event.id for event in await of_trace(client, trace_id)] == ids
    assert not (tmp_path / "out.rejected").exists()


def client_outbox(client: Client) -> Outbox:
    """The outbox that a client uses."""
    drain = client._drain  # pyright: ignore[reportPrivateUsage]
    assert drain is not None
    return drain.outbox


async def test_emit_returns_while_the_service_is_away_and_events_are_sent_later(proxy: Proxy, client: Client, tmp_path: Path) -> None:
    trace_id = unique("t")
    back = asyncio.Event()

    async def drop(exchange: Exchange) -> None:
        if not back.is_set():
            proxy.faults.append(drop)
            exchange.drop()
        else:
            exchange.writer.write(await exchange.forward())

    proxy.faults = [drop]
    async with Client(proxy.url, agent_id="a", outbox=tmp_path / "out", patience=0.1) as agent:
        emitted = [await agent.emit("ready", "outbox", {"status": str(number)}, trace_id=trace_id) for number in range(10)]
        assert {event.position for event in emitted} == {None}
        await until(lambda: len(proxy.posts()) > 2)
        back.set()
        await agent.flush()
    assert [event.id for event in await of_trace(client, trace_id)] == [event.id for event in emitted]


async def test_a_refused_event_is_kept_with_the_reason_and_the_others_are_sent(service: Service, tmp_path: Path) -> None:
    async with Client(service.url, agent_id="a", outbox=tmp_path / "out") as client:
        bad = await client.emit("reward", "outbox", {"value": 2}, trace_id="t")
        good = await client.emit("reward", "outbox", {"value": 0.2}, trace_id="t")
        await client.flush()
        assert (await client.event(good.id)).position
    [line] = (tmp_path / "out.rejected").read_text().splitlines()
    record = json.loads(line)
    assert (record["event"]["id"], record["error"], record["errors"][0]["field"]) == (bad.id, "InvalidEvent", "payload.value")


async def test_an_outbox_is_used_by_one_process_at_a_time(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with Client(nobody, agent_id="a", outbox=tmp_path / "out"):
        with pytest.raises(Busy):
            async with Client(nobody, agent_id="b", outbox=tmp_path / "out"):
                pass
    async with Client(nobody, agent_id="b", outbox=tmp_path / "out"):
        pass


def test_a_closed_client_may_be_used_on_another_loop(service: Service, tmp_path: Path) -> None:
    client = Client(service.url, agent_id="a", outbox=tmp_path / "out")

    async def use() -> None:
        async with client:
            event = await client.emit("ready", "outbox", {"status": "x"}, trace_id="t")
            await client.flush()
            assert (await client.event(event.id)).position

    asyncio.run(use())
    asyncio.run(use())


async def filled(path: Path, count: int, size: int = 10) -> Outbox:
    """An open outbox with this many bodies, numbered from 0."""
    outbox = Outbox(path)
    outbox.open()
    for number in range(count):
        await outbox.put(body(number, size))
    return outbox


def body(number: int, size: int = 10) -> bytes:
    """A JSON object with a number, padded with this many bytes."""
    return b'{"n":%d,"x":"%b"}' % (number, b"x" * size)


async def remaining(outbox: Outbox) -> list[int]:
    """The numbers of the bodies that are not sent yet."""
    parcel = await outbox.next(100_000, 1_000_000_000)
    return [json.loads(body)["n"] for body in parcel.bodies] if parcel else []


@pytest.mark.parametrize("cut", [1, 5, 20, 30])
async def test_an_unfinished_last_line_is_removed(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out"
    await (await filled(path, 3)).close()
    os.truncate(path, path.stat().st_size - cut)
    outbox = Outbox(path)
    outbox.open()
    assert await remaining(outbox) == [0, 1]
    await outbox.put(body(7))
    assert await remaining(outbox) == [0, 1, 7]
    await outbox.close()


async def test_a_damaged_line_is_moved_to_the_rejected_file_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "out"
    await (await filled(path, 4)).close()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"x", b"y", 1)
    lines[4] = b"\x00" * 10 + b"\n"
    path.write_bytes(b"".join(lines))
    outbox = Outbox(path)
    outbox.open()
    assert await remaining(outbox) == [0, 2]
    await outbox.close()
    assert len((tmp_path / "out.rejected").read_text().splitlines()) == 2


async def test_sent_bodies_are_removed_from_the_file_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = await filled(path, 30, size=100_000)
    first = await outbox.next(20, 1_000_000_000)
    assert first is not None
    assert len(first.bodies) == 20
    await outbox.sent(first, [])
    assert path.stat().st_size < 1_100_000
    await outbox.put(body(30))
    assert await remaining(outbox) == list(range(20, 31))
    await outbox.close()
    again = Outbox(path)
    again.open()
    assert await remaining(again) == list(range(20, 31))
    await again.close()


async def test_a_sent_position_of_an_earlier_file_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = await filled(path, 30, size=100_000)
    for count in (5, 25):
        parcel = await outbox.next(count, 1_000_000_000)
        assert parcel is not None
        before = (tmp_path / "out.sent").read_bytes() if count == 25 else b""
        await outbox.sent(parcel, [])
    for number in range(5):
        await outbox.put(body(number, 200_000))
    await outbox.close()
    (tmp_path / "out.sent").write_bytes(before)
    again = Outbox(path)
    again.open()
    assert await remaining(again) == [0, 1, 2, 3, 4]
    await again.close()


async def test_a_full_outbox_refuses_more(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "out", limit=100)
    outbox.open()
    await outbox.put(body(0, 50))
    with pytest.raises(OutboxFull):
        await outbox.put(body(1, 50))
    await outbox.close()


async def test_a_file_that_is_no_outbox_is_refused_and_stays_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("do not lose me\n")
    with pytest.raises(SempError, match="no outbox"):
        Outbox(path).open()
    assert path.read_text() == "do not lose me\n"
    path.unlink()
    outbox = Outbox(path)
    outbox.open()
    await outbox.close()
