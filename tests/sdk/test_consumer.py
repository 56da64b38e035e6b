"""Consumers continue after the position that they saved, whatever ended them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from semp_sdk import Busy, Client, Consumer, Event, HistoryLost, SempError

from tests.conftest import Service
from tests.events import unique

from .conftest import SOURCE, WITHIN, emit_many, lines_until_killed


async def take(consumer: Consumer, count: int) -> list[int]:
    """Handle `count` events, and read one more, which is not handled; the positions of all of them."""
    read: list[int] = []
    async with asyncio.timeout(WITHIN), aclosing(consumer.__aiter__()) as events:
        async for event in events:
            read.append(event.position)
            if len(read) > count:
                break
    return read


async def test_a_consumer_continues_after_the_last_handled_event(service: Service, tmp_path: Path) -> None:
    scope = unique("c")
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit_many(client, 6, scope)
        async with client.consumer("c", scope=scope) as consumer:
            assert await take(consumer, 3) == sent[:4], "three are handled, the fourth is only read"
        async with client.consumer("c", scope=scope, every=1) as consumer:
            assert (await take(consumer, 1))[0] == sent[0], "the position is saved when all events that arrived together are handled"
        async with client.consumer("c", scope=scope, every=1) as consumer:
            assert await take(consumer, 3) == sent[1:5]
        async with client.consumer("c", scope=scope) as consumer:
            assert (await take(consumer, 1))[0] == sent[4]
            assert consumer.checkpoint is not None
            assert consumer.checkpoint.position == sent[3]


async def test_an_event_whose_handler_failed_is_handled_again(service: Service, tmp_path: Path) -> None:
    scope = unique("c")
    seen: list[int] = []

    async def handle(event: Event) -> None:
        seen.append(event.position)
        if len(seen) in (2, 5):
            raise LookupError

    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit_many(client, 3, scope)
        for _ in range(2):
            with pytest.raises(LookupError):
                await client.consumer("c", scope=scope, every=1).run(handle)
            if len(seen) < 4:
                sent += await emit_many(client, 2, scope)
    assert seen == [sent[0], sent[1], sent[1], sent[2], sent[3]]


async def test_at_most_once_skips_an_event_rather_than_repeating_it(service: Service, tmp_path: Path) -> None:
    scope = unique("c")
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        sent = await emit_many(client, 3, scope)
        async with client.consumer("c", scope=scope, delivery="at-most-once") as consumer:
            assert await take(consumer, 0) == sent[:1]
        async with client.consumer("c", scope=scope, delivery="at-most-once") as consumer:
            assert await take(consumer, 0) == sent[1:2]


async def test_an_event_that_a_handler_emits_has_the_handled_event_as_parent(service: Service, tmp_path: Path) -> None:
    scope = unique("c")
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        cause = await client.emit("proposal", scope, {"action": "x"}, trace_id="asked")

        async def handle(event: Event) -> None:
            effect = await client.emit("reward", scope, {"value": 0.1})
            assert (effect.trace_id, effect.parent_ids) == ("asked", [cause.id])
            raise LookupError

        with pytest.raises(LookupError):
            await client.consumer("c", scope=scope).run(handle)


async def test_a_consumer_that_starts_now_saves_this_position_at_once(service: Service, tmp_path: Path) -> None:
    scope = unique("c")
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        await emit_many(client, 2, scope)
        async with client.consumer("now", scope=scope, start="now"):
            pass
        later = await emit_many(client, 1, scope)
        async with client.consumer("now", scope=scope, start="now") as consumer:
            assert await take(consumer, 0) == later


async def test_a_consumer_is_used_by_one_process_at_a_time_and_its_name_may_hold_any_text(service: Service, tmp_path: Path) -> None:
    async with Client(service.url, agent_id="a", state=tmp_path / "deep" / "er") as client:
        async with client.consumer("../a b/ü") as consumer:
            assert consumer.path.parent == tmp_path / "deep" / "er"
            with pytest.raises(Busy):
                await client.consumer("../a b/ü").__aenter__()
        async with client.consumer("../a b/ü"):
            pass


async def test_another_log_and_a_damaged_file_are_errors(service: Service, tmp_path: Path) -> None:
    async with Client(service.url, agent_id="a", state=tmp_path) as client:
        await emit_many(client, 1, "c")
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


async def test_a_killed_consumer_handles_every_event_at_least_once_and_in_order(service: Service, tmp_path: Path) -> None:
    scope = unique("c")

    def run_until_killed(count: int) -> list[int]:
        code = AGENT.format(source=str(SOURCE), url=service.url, state=str(tmp_path), scope=scope)
        return [int(line) for line in lines_until_killed(code, count)]

    async with Client(service.url, agent_id="a") as client:
        sent = await emit_many(client, 2_000, scope)
    handled = [await asyncio.to_thread(run_until_killed, 45) for _ in range(4)]
    for before, after in zip([sent[:1], *handled], handled, strict=False):
        assert after[0] <= before[-1] + 1, "no event is skipped"
        assert after == list(range(after[0], after[0] + len(after)))
    assert handled[3][0] > sent[45], "the consumer makes progress"
