"""Recordings, through which connectors emit events: in order, once, from any thread, and without delaying the framework."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from semp_sdk import Client, Unavailable
from semp_sdk.connectors import Recording, excerpt, scope_of, sending
from semp_sdk.connectors.signals import SignalReader
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace

from tests.conftest import Service, free_port, neo4j_environment, start_service
from tests.sdk.conftest import SOURCE, WITHIN
from tests.waiting import until


async def stored(client: Client, trace_id: str) -> dict[str, Any]:
    """The events of a trace by their ids, in the order of the log."""
    return {event.id: event for event in await client.events(trace_id=trace_id, order="asc", limit=1000)}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log messages at level WARNING and above."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_events_are_stored_in_the_order_of_the_calls(client: Client, service: Service) -> None:
    async with Recording(service.url, agent_id="runner", scope="recording") as recording:
        work = recording.started("plan", agent_id="ann", model="none")
        inner = recording.started("search", parents=[work], scope="recording.tools")
        done = recording.ended("search", [inner])
        failed = recording.failed("plan", [work, done], ValueError("no such file"))
        scored = recording.scored(0.5, [work])
        checked = recording.checked("plan", [work], True)
        assert await recording.drained(WITHIN)
        events = await stored(client, recording.trace_id)
    assert list(events) == [work, inner, done, failed, scored, checked]
    assert [events[one].type for one in events] == ["proposal", "proposal", "ready", "penalty", "reward", "test"]
    assert [events[one].parent_ids for one in events] == [[], [work], [inner], [work, done], [work], [work]]
    assert [events[one].agent_id for one in events] == ["ann"] + ["runner"] * 5
    assert events[work].payload == {"action": "plan", "model": "none"}
    assert events[inner].scope == "recording.tools"
    assert events[failed].payload == {"action": "plan", "value": -0.5, "reason": "ValueError: no such file"}
    assert recording.lost == 0


async def test_a_recording_takes_the_trace_and_the_cause_of_the_code_that_creates_it(client: Client, service: Service) -> None:
    with trace(new_id()) as here:
        cause = await client.emit("ready", "recording", {"status": "asked"})
        recording = Recording(service.url, agent_id="a", scope="recording")
    assert (recording.trace_id, recording.parents) == (here.id, (cause.id,))
    with trace("another"):
        apart = Recording(service.url, agent_id="a", scope="recording", trace_id="t")
    assert (apart.trace_id, apart.parents) == ("t", ())


async def test_events_of_many_threads_are_stored_once_each(client: Client, service: Service) -> None:
    async with Recording(service.url, agent_id="a", scope="recording") as recording:
        chains: list[list[str]] = [[] for _ in range(8)]

        def work(chain: list[str]) -> None:
            for _ in range(100):
                chain.append(recording.started("step", parents=chain[-1:]))

        threads = [threading.Thread(target=work, args=(chain,)) for chain in chains]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert await recording.drained(WITHIN)
        events = await stored(client, recording.trace_id)
    assert len(events) == 800
    for chain in chains:
        assert [events[one].parent_ids for one in chain] == [[], *[[earlier] for earlier in chain[:-1]]]


async def test_more_causes_than_an_event_may_have_are_gathered_in_events_between(client: Client, service: Service) -> None:
    async with Recording(service.url, agent_id="a", scope="recording") as recording:
        work = [recording.started("step") for _ in range(150)]
        done = recording.ended("all", work)
        assert await recording.drained(WITHIN)
        events = await stored(client, recording.trace_id)
    gathered = [events[one] for one in events[done].parent_ids]
    assert [event.payload for event in gathered] == [{"status": "gathered"}] * 3
    assert [one for event in gathered for one in event.parent_ids] == work


async def test_an_event_that_cannot_be_stored_is_replaced_by_its_causes(
    client: Client, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with Recording(service.url, agent_id="a", scope="recording") as recording:
        first = recording.started("first")
        for content in (float("nan"), object(), "x" * 2_000_000):
            lost = recording.started("second", parents=[first], content=content)
            refused = recording.tell("proposal", {"action": "a"}, parents=[first], scope="no scope")
            assert await recording.drained(WITHIN)
            last = recording.ended("second", [lost, refused])
            assert await recording.drained(WITHIN)
            assert (await stored(client, recording.trace_id))[last].parent_ids == [first]
    assert recording.lost == 6
    assert len(warnings(caplog)) == 1


async def test_while_the_service_is_away_a_limited_number_of_events_waits_and_one_warning_is_logged(
    neo4j_target: Any, tmp_path: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SILENCE_SECONDS", 2.0)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    recording = Recording(url, agent_id="a", scope="recording", capacity=50)
    kept = [recording.started("kept") for _ in range(50)]
    over = [recording.started("over", parents=kept[-1:]) for _ in range(20)]
    assert not await recording.drained(0.5)
    assert recording.lost == 20
    assert len(warnings(caplog)) == 1
    service = await asyncio.to_thread(start_service, tmp_path / "log", environment=neo4j_environment(neo4j_target), port=port)
    try:
        assert await recording.drained(WITHIN)
        last = recording.ended("over", [over[3], over[4]])
        assert await recording.drained(WITHIN)
        async with Client(url, agent_id="a") as client:
            events = await stored(client, recording.trace_id)
        assert list(events) == [*kept, last]
        assert events[last].parent_ids == kept[-1:]
    finally:
        await asyncio.to_thread(service.stop)
    assert len(warnings(caplog)) == 1
    recording.started("in another outage")
    await until(lambda: len(warnings(caplog)) == 2)
    assert "does not answer" in warnings(caplog)[1]
    await asyncio.to_thread(recording.close)
    assert recording.lost == 21
    assert len(warnings(caplog)) == 2


async def test_a_url_of_another_server_is_logged_once(caplog: pytest.LogCaptureFixture, service: Service) -> None:
    recording = Recording(f"{service.url}/elsewhere", agent_id="a", scope="recording")
    recording.started("work")
    await until(lambda: len(warnings(caplog)) == 1)
    assert "elsewhere does not answer" in caplog.text
    await asyncio.to_thread(recording.close, 1.5)
    assert recording.lost == 1
    assert len(warnings(caplog)) == 1


async def test_a_service_that_never_answers_delays_only_the_close(caplog: pytest.LogCaptureFixture) -> None:
    recording = Recording("http://127.0.0.1:9", agent_id="a", scope="recording")
    recording.ended("work", [recording.started("work")])
    async with asyncio.timeout(WITHIN):
        await asyncio.to_thread(recording.close, 0.1)
    assert recording.lost == 2
    assert ["2 events are lost" in text for text in warnings(caplog)] == [True]
    recording.started("afterwards")
    assert recording.lost == 3


@pytest.mark.parametrize("outbox", [False, True], ids=["", "outbox"])
async def test_an_event_of_a_client_waits_until_its_recorded_causes_are_stored(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outbox: bool
) -> None:
    monkeypatch.setattr(sending, "LINGER_SECONDS", 2 * WITHIN)
    recording = Recording(service.url, agent_id="a", scope="recording")
    async with Client(service.url, agent_id="a", outbox=tmp_path / "out" if outbox else None) as client, asyncio.timeout(WITHIN):
        await client.emit("ready", "recording", {"status": "connected"}, trace_id=recording.trace_id)
        with trace(recording.trace_id, (recording.started("first"),)):
            first = await client.emit("test", "recording", {"status": "passed"})
        with trace(recording.trace_id, (recording.started("second"),)):
            second = [client.emit_nowait("test", "recording", {"status": "passed"}) for _ in range(2)]
        await client.flush()
        events = await stored(client, recording.trace_id)
    assert [events[events[one.id].parent_ids[0]].payload.get("action") for one in (first, second[0])] == ["first", "second"]
    assert events[second[1].id].parent_ids == [second[0].id]
    recording.close()


async def test_an_event_of_a_client_waits_for_its_causes_no_longer_than_its_patience(service: Service) -> None:
    recording = Recording("http://127.0.0.1:9", agent_id="a", scope="recording")
    async with Client(service.url, agent_id="a", patience=0.5) as client, asyncio.timeout(WITHIN):
        with pytest.raises(Unavailable, match="did not store the parents"):
            await client.emit("ready", "recording", {"status": "x"}, trace_id="t", parent_ids=[recording.started("never")])
    await asyncio.to_thread(recording.close, 0.0)


async def test_signals_are_read_after_all_recorded_events_are_stored(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LINGER_SECONDS", 2 * WITHIN)
    scope = f"recording.{new_id()}"
    reader = SignalReader(service.url, timeout=WITHIN)
    async with Recording(service.url, agent_id="a", scope=scope) as recording:
        recording.started("one")
        assert list(await reader.aread(scope) or ()) == ["one"]
        recording.started("two")
        assert set(await asyncio.to_thread(reader.read, scope) or ()) == {"one", "two"}
    reader.close()


async def test_draining_waits_neither_for_a_full_request_nor_for_later_events(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LINGER_SECONDS", 2 * WITHIN)
    async with Recording(service.url, agent_id="a", scope="recording") as recording:
        done = threading.Event()

        def chatter() -> None:
            while not done.wait(0.001):
                recording.started("chatter")

        thread = threading.Thread(target=chatter)
        thread.start()
        for _ in range(5):
            work = recording.started("work")
            assert await recording.drained(WITHIN)
            assert (await client.event(work)).id == work
        done.set()
        await asyncio.to_thread(thread.join)


async def test_a_full_request_is_sent_at_once(client: Client, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LINGER_SECONDS", 2 * WITHIN)
    async with Recording(service.url, agent_id="a", scope="recording", capacity=20) as recording:
        recorded = [recording.started("work") for _ in range(10)]

        async def all_stored() -> bool:
            return list(await stored(client, recording.trace_id)) == recorded

        await until(all_stored)


async def test_a_recording_without_references_sends_its_events_and_ends_its_thread(client: Client, service: Service) -> None:
    before = set(threading.enumerate())
    recording = Recording(service.url, agent_id="a", scope="recording")
    recorded, trace_id = [recording.started("first"), recording.started("second")], recording.trace_id
    [thread] = set(threading.enumerate()) - before
    del recording
    gc.collect()
    await until(lambda: not thread.is_alive())
    assert list(await stored(client, trace_id)) == recorded


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_process_that_ends_at_once_has_sent_every_event(client: Client, service: Service, host: str) -> None:
    url = service.url.replace("127.0.0.1", host)
    code = f"""
import sys; sys.path.insert(0, {str(SOURCE)!r})
from semp_sdk.connectors import Recording
recording = Recording({url!r}, agent_id="a", scope="recording")
recording.started("work")
print(recording.trace_id)
"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(await stored(client, done.stdout.strip())) == 1


async def test_a_forked_process_sends_no_event_and_ends_at_once(client: Client, service: Service) -> None:
    code = f"""
import os, sys; sys.path.insert(0, {str(SOURCE)!r})
from semp_sdk.connectors import Recording
recording = Recording({service.url!r}, agent_id="a", scope="recording")
recording.started("before")
child = os.fork()
if not child:
    recording.started("in the child")
    sys.exit(0)
os.waitpid(child, 0)
recording.started("after")
print(recording.trace_id)
"""
    async with asyncio.timeout(WITHIN):
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True)
    events = (await stored(client, done.stdout.strip())).values()
    assert [event.payload["action"] for event in events] == ["before", "after"]


def test_names_become_scopes_and_values_become_short_texts() -> None:
    assert scope_of("crew", "Senior Researcher", "…") == "crew.Senior-Researcher"
    assert scope_of("a.b", "c.d") == "a.b.c-d"
    assert scope_of("…") == "run"
    assert len(scope_of("x" * 500)) == 200
    assert excerpt({"a": 1}) == '{"a": 1}'
    assert excerpt("é" * 3000) == "é" * 1999 + "…"
    assert excerpt("\ud800") == "?"

    class Bad:
        def __str__(self) -> str:
            raise RuntimeError

    assert excerpt([Bad()]) == "<list>"
