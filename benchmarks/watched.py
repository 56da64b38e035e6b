"""A scripted run of a framework, with and without its connector, in turn. It runs in the environment of that framework, which has only
the source of the SDK from this project.

    python -m benchmarks.watched NAME URL STEPS SECONDS ROUNDS

A step is one call of a model, made in the usual way of the framework: by a node of a graph, by a task of a crew, in the turn of a
participant, or in the span of an agent. The model sleeps for SECONDS and answers one word. The times of all runs are printed as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

Prepare = Callable[[bool], Callable[[], object]]
"""Prepares the next run, with the connector (True) or without, and returns a function that runs it."""
Sides = tuple[Prepare, Callable[[], object]]
"""How to prepare a run, and a function that waits until the connector has sent all events."""
WARM = 2
"""Runs of each kind that are not measured: the first ones import modules and open connections."""


def langgraph(url: str, steps: int, seconds: float) -> Sides:
    """A chain of nodes that call a chat model."""
    from langchain_core.language_models.fake_chat_models import FakeListChatModel
    from langgraph.graph import START, MessagesState, StateGraph
    from semp_sdk.connectors.langgraph import GraphRecorder

    model = FakeListChatModel(responses=["done"], sleep=seconds or None)
    graph = StateGraph(MessagesState)
    before = START
    for name in [f"step-{number}" for number in range(steps)]:
        graph.add_node(name, lambda _: {"messages": [model.invoke("do it")]})
        graph.add_edge(before, name)
        before = name
    plain = graph.compile(name="plain")
    recorder = GraphRecorder(url)
    graphs = {False: plain, True: recorder.watch(graph.compile(name="watched"))}
    options = {"recursion_limit": steps + 5}
    return lambda watched: lambda: graphs[watched].invoke({"messages": []}, options), recorder.recording.flush


def crewai(url: str, steps: int, seconds: float) -> Sides:
    """A crew with a task for each step."""
    os.environ |= {
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_DISABLE_TRACKING": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "CREWAI_STORAGE_DIR": tempfile.mkdtemp(prefix="semp-crewai-"),
    }
    from crewai import Agent, Crew, Task
    from crewai.events import crewai_event_bus
    from crewai.events.types.llm_events import LLMCallType
    from crewai.llms.base_llm import BaseLLM, llm_call_context
    from semp_sdk.connectors.crewai import SempListener
    from semp_sdk.connectors.crewai.listener import HEARD

    class Model(BaseLLM):
        def call(self, messages: Any, *_: Any, from_task: Any = None, from_agent: Any = None, **__: Any) -> str:
            who = {"from_task": from_task, "from_agent": from_agent}
            with llm_call_context():
                self._emit_call_started_event(messages=messages, **who)
                time.sleep(seconds)
                self._emit_call_completed_event(response="done", call_type=LLMCallType.LLM_CALL, usage={"total_tokens": 7}, **who)
            return "Thought: I now can give a great answer\nFinal Answer: done"

    agent = Agent(role="Worker", goal="a goal", backstory="a past", llm=Model(model="scripted"))
    listener = SempListener(url)

    def prepare(watched: bool) -> Callable[[], object]:
        for kind in HEARD:
            crewai_event_bus.off(kind, listener._heard)
        if watched:
            listener.setup_listeners(crewai_event_bus)
        tasks = [
            Task(name=f"step-{number}", description="do it", expected_output="a word", agent=agent, context=[]) for number in range(steps)
        ]
        return Crew(agents=[agent], tasks=tasks).kickoff

    return prepare, listener.flush


def autogen(url: str, steps: int, seconds: float) -> Sides:
    """A team of two agents that take turns."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_core.models import ModelFamily
    from autogen_ext.models.replay import ReplayChatCompletionClient
    from semp_sdk.connectors.autogen import TeamRecorder

    class Model(ReplayChatCompletionClient):
        async def create(self, *arguments: Any, **options: Any) -> Any:
            await asyncio.sleep(seconds)
            return await super().create(*arguments, **options)

    able: Any = {"vision": False, "function_calling": True, "json_output": True, "family": ModelFamily.UNKNOWN, "structured_output": True}
    recorder = TeamRecorder(url)
    runner = asyncio.Runner()

    def prepare(watched: bool) -> Callable[[], object]:
        model = Model(["done"] * steps, model_info=able)
        team = RoundRobinGroupChat([AssistantAgent(name, model_client=model) for name in ("writer", "critic")], max_turns=steps)
        if watched:
            recorder.watch(team)
        return lambda: runner.run(team.run(task="do it"))

    return prepare, recorder.recording.flush


def otel(url: str, steps: int, seconds: float) -> Sides:
    """For each step, the span of an agent with the span of a model's call inside."""
    from opentelemetry.sdk.trace import TracerProvider
    from semp_sdk.connectors.otel import SempSpanProcessor

    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "worker", "gen_ai.provider.name": "openai"}
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "scripted", "gen_ai.usage.input_tokens": 7}
    providers = {watched: TracerProvider() for watched in (False, True)}
    spans = SempSpanProcessor(url)
    providers[True].add_span_processor(spans)

    def prepare(watched: bool) -> Callable[[], object]:
        tracer = providers[watched].get_tracer("benchmark")

        def run() -> None:
            with tracer.start_as_current_span("invoke_agent root", attributes=agent):
                for _ in range(steps):
                    with (
                        tracer.start_as_current_span("invoke_agent worker", attributes=agent),
                        tracer.start_as_current_span("chat scripted", attributes=chat),
                    ):
                        time.sleep(seconds)

        return run

    return prepare, spans.recording.flush


FRAMEWORKS = {"langgraph": langgraph, "crewai": crewai, "autogen": autogen, "otel": otel}


def measured(run: Callable[[], object], flush: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a run, and processor seconds of this process until all events of the run are sent."""
    gc.collect()
    busy, began = time.process_time(), time.perf_counter()
    run()
    elapsed = time.perf_counter() - began
    flush()
    return elapsed, time.process_time() - busy


def main(name: str, url: str, steps: int, seconds: float, rounds: int) -> None:
    """Run both sides in turn, starting with a different one in each round, and print the times."""
    prepare, flush = FRAMEWORKS[name](url, steps, seconds)
    wall: dict[str, list[float]] = {"with": [], "without": []}
    cpu: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(WARM + rounds):
        for side in ("with", "without") if number % 2 else ("without", "with"):
            elapsed, busy = measured(prepare(side == "with"), flush if side == "with" else bool)
            if number >= WARM:
                wall[side].append(elapsed)
                cpu[side].append(busy)
    print("\n" + json.dumps([wall, cpu]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
