"""What is emitted inside of a run is part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Stored, trace_of
from crewai import TaskOutput
from crewai.flow.flow import Flow, start
from crewai.tools import tool
from scripted import action, agent, crew, final, task
from semp_sdk import Client
from semp_sdk.connectors.crewai import SempListener
from semp_sdk.tracing import current_trace, trace


@pytest.fixture
def listener(url: str) -> Iterator[SempListener]:
    with SempListener(url) as found:
        yield found


def events_of(listener: SempListener, work: Callable[[Client], Any]) -> Stored:
    """What is left by work that has a client to emit with, in a thread beside the client's."""

    async def main() -> str:
        async with Client(listener.recording.url, agent_id="inside") as client:
            with trace(parents=()) as around:
                await asyncio.to_thread(work, client)
                return around.id

    trace_id = asyncio.run(main())
    assert listener.flush(30)
    return trace_of(listener.recording.url, trace_id)


def test_what_a_tool_emits_follows_from_its_call_and_the_calls_end_from_that(listener: SempListener) -> None:
    def work(client: Client) -> None:
        @tool
        def look() -> str:
            """Look."""
            with listener.here() as place:
                assert place is not None
                assert current_trace() == place
                client.emit_blocking("test", "found", {"status": "passed", "action": "first"})
                client.emit_blocking("reward", "found", {"value": 0.5, "action": "second"})
            return "found"

        crew(task("job", agent("Researcher", action("look"), final("x"), tools=[look]))).kickoff()

    events = events_of(listener, work)
    assert events.parents(events.one("test", "first")) == [("proposal", "look")]
    assert events.parents(events.one("reward", "second")) == [("test", "first")]
    assert events.parents(events.one("ready", "look")) == [("proposal", "look"), ("reward", "second")]
    assert {event["agent_id"] for event in (events.one("test", "first"), events.one("reward", "second"))} == {"inside"}


def test_what_a_guardrail_emits_follows_from_the_answer_and_its_result_from_that(listener: SempListener) -> None:
    def work(client: Client) -> None:
        def good(output: TaskOutput):  # CrewAI reads the return annotation, which here is a text
            with listener.here():
                client.emit_blocking("ready", "draft", {"status": "drafted", "action": "draft"})
            return (True, output.raw)

        crew(task("writing", agent("Writer", final("a")), guardrail=good)).kickoff()

    events = events_of(listener, work)
    assert events.parents(events.one("ready", "draft")) == [("ready", "Writer")]
    assert events.parents(events.one("test", "good")) == [("ready", "draft")]


def test_what_a_method_of_a_flow_emits_follows_from_its_start(listener: SempListener) -> None:
    def work(client: Client) -> None:
        class Desk(Flow[Any]):
            @start()
            def begin(self) -> str:
                with listener.here():
                    client.emit_blocking("test", "desk", {"status": "passed", "action": "checked"})
                return "done"

        Desk().kickoff()

    events = events_of(listener, work)
    assert events.parents(events.one("test", "checked")) == [("proposal", "begin")]
    assert events.parents(events.one("ready", "begin")) == [("proposal", "begin"), ("test", "checked")]


def test_outside_of_runs_nothing_changes(listener: SempListener) -> None:
    with listener.here() as place:
        assert place is None
        assert current_trace() is None
    with trace("of-its-own") as around, listener.here() as place:
        assert place is None
        assert current_trace() == around
