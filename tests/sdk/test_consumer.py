"""Consumers read on from where they were, after whatever ended them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import uuid
from contextlib import aclosing
from pathlib import Path

import pytest
from semp_sdk import Busy, Client, Consumer, Event, HistoryLost, SempError

from tests.conftest import Service

from .conftest import SOURCE, WITHIN


async def emit(client: Client, scope: str, count: int) -> list[int]:
    found = await asyncio.gather(*(client.emit("ready", scope, {"status": "x"}, trace_id="consumed") for _ in range(count)))
    return [event.position or 0 for event in found]


async def take(consumer: Consumer, count: int) -> list[int]:
    """Handle so many events, the last one included."""
    found: list[int] = []
    async with asyncio.timeout(WITHIN), aclosing(consumer.__aiter__()) as events:
        async for event in events:
            found.append(event.position)
            if len(found) > count:
                break
    return found


async def test_it_goes_on_from_where_it_was(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit(client, scope, 6)
        async with client.consumer("c", scope=scope) as consumer:
            assert await take(consumer, 3) == sent[:4], "three are handled, the fourth is not"
        async with client.consumer("c", scope=scope, every=1) as consumer:
            assert (await take(consumer, 1))[0] == sent[0], "they had arrived together, and the position is saved when that is used up"
        async with client.consumer("c", scope=scope, every=1) as consumer:
            assert await take(consumer, 3) == sent[1:5]
        async with client.consumer("c", scope=scope) as consumer:
            assert (await take(consumer, 1))[0] == sent[4]
            assert consumer.checkpoint is not None
            assert consumer.checkpoint.position == sent[3]


async def test_a_handler_that_fails_gets_the_event_again(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"
    seen: list[int] = []

    async def handle(event: Event) -> None:
        seen.append(event.position)
        if len(seen) in (2, 5):
            raise LookupError

    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit(client, scope, 3)
        for _ in range(2):
            with pytest.raises(LookupError):
                await client.consumer("c", scope=scope, every=1).run(handle)
            if len(seen) < 4:
                sent += await emit(client, scope, 2)
    assert seen == [sent[0], sent[1], sent[1], sent[2], sent[3]]


async def test_at_most_once_leaves_out_rather_than_repeats(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit(client, scope, 3)
        async with client.consumer("c", scope=scope, delivery="at-most-once") as consumer:
            assert await take(consumer, 0) == sent[:1]
        async with client.consumer("c", scope=scope, delivery="at-most-once") as consumer:
            assert await take(consumer, 0) == sent[1:2]


async def test_what_a_handler_emits_follows_from_its_event(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        cause = await client.emit("proposal", scope, {"action": "x"}, trace_id="asked")

        async def handle(event: Event) -> None:
            effect = await client.emit("reward", scope, {"value": 0.1})
            assert (effect.trace_id, effect.parent_ids) == ("asked", [cause.id])
            raise LookupError

        with pytest.raises(LookupError):
            await client.consumer("c", scope=scope).run(handle)


async def test_the_first_start_is_at_the_beginning_or_now_and_now_is_kept(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        await emit(client, scope, 2)
        async with client.consumer("now", scope=scope, start="now"):
            pass
        later = await emit(client, scope, 1)
        async with client.consumer("now", scope=scope, start="now") as consumer:
            assert await take(consumer, 0) == later


async def test_one_process_at_a_time_and_odd_names(service: Service, tmp_path: Path) -> None:
    async with Client(service.url, agent_id="a", state=tmp_path / "deep" / "er") as client:
        async with client.consumer("../a b/ü") as consumer:
            assert consumer.path.parent == tmp_path / "deep" / "er"
            with pytest.raises(Busy):
                await client.consumer("../a b/ü").__aenter__()
        async with client.consumer("../a b/ü"):
            pass


async def test_another_log_or_a_damaged_file_is_told(service: Service, tmp_path: Path) -> None:
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        await emit(client, "c", 1)
        for name, text in (("other", '{"epoch":"another","position":5}'), ("ahead", "")):
            (tmp_path / f"{name}.checkpoint").write_text(text)
        with pytest.raises(HistoryLost):
            await client.consumer("other").__aenter__()
        with pytest.raises(SempError, match="damaged"):
            await client.consumer("ahead").__aenter__()
        async with client.consumer("other", on_reset="restart") as consumer:
            assert await take(consumer, 0) == [1]


AGENT = """
import asyncio, sys
sys.path.insert(0, {source!r})
from semp_sdk import Client

async def main():
    async with Client({url!r}, agent_id="a", state={state!r}) as client:
        async with client.consumer("c", scope={scope!r}, every=7) as consumer:
            async for event in consumer:
                print(event.position, flush=True)

asyncio.run(main())
"""


async def test_a_consumer_killed_with_9_handles_everything_at_least_once_and_in_order(service: Service, tmp_path: Path) -> None:
    scope = f"c{uuid.uuid4().hex}"

    def live(count: int) -> list[int]:
        code = AGENT.format(source=str(SOURCE), url=service.url, state=str(tmp_path), scope=scope)
        agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert agent.stdout is not None
        found = [int(agent.stdout.readline()) for _ in range(count)]
        agent.send_signal(signal.SIGKILL)
        found += [int(line) for line in agent.stdout if line.endswith("\n")]
        agent.stdout.close()
        agent.wait()
        return found

    async with Client(service.url, agent_id="a") as client:
        sent = await emit(client, scope, 2_000)
    handled = [await asyncio.to_thread(live, 45) for _ in range(4)]
    for before, after in zip([sent[:1], *handled], handled, strict=False):
        assert after[0] <= before[-1] + 1, "nothing is left out"
        assert after == list(range(after[0], after[0] + len(after)))
    assert handled[3][0] > sent[45], "and it gets on"
