"""The connector's own page as printed, and the LangGraph example of the public SEL/SEMP documents on today's LangGraph."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any, TypedDict

import pytest
from conftest import get, trace_of
from graphs import recorder_at, told
from langgraph.graph import END, START, StateGraph
from semp_sdk import SEMPClient
from semp_sdk.connectors.langgraph import scored
from semp_sdk.identifiers import new_id

PAGE = Path(__file__).parents[3] / "connectors.md"
SECTION = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
BLOCKS = [block for part in SECTION if part.startswith("LangGraph\n") for block in re.findall(r"^```python\n(.*?)^```$", part, re.M | re.S)]
PRINTED = ["planned and asked and searched", "searched", "'planned', '", "search"]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the blocks before have defined."""
    return {"__name__": "page"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_page_runs(url: str, names: dict[str, Any], number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = BLOCKS[number].replace("http://localhost:5000", url)
    exec(compile(code, f"{PAGE.name}, LangGraph, block {number + 1}", "exec", dont_inherit=True), names)
    assert PRINTED[number] in capsys.readouterr().out


class State(TypedDict):
    task: str
    result: str
    trace_id: str


def test_the_public_example_runs_as_it_stands(url: str) -> None:
    """Its nodes call the client of the public documents themselves."""
    semp = SEMPClient(url)
    scope = f"workflow.s{new_id()}"

    def agent_propose(state: State) -> Any:
        trace_id = state.get("trace_id", str(uuid.uuid4()))
        semp.create_event(
            type="proposal", scope=scope, trace_id=trace_id, agent_id="langgraph-agent-1",
            payload={"action": "process_task", "task": state["task"]},
        )  # fmt: skip
        return {**state, "trace_id": trace_id}

    def agent_execute(state: State) -> Any:
        result = f"Processed: {state['task']}"
        semp.create_event(
            type="ready", scope=scope, trace_id=state["trace_id"], agent_id="langgraph-agent-1",
            payload={"status": "completed", "result": result},
        )  # fmt: skip
        return {**state, "result": result}

    def agent_verify(state: State) -> Any:
        if len(state["result"]) > 0:
            semp.create_event(
                type="reward", scope=scope, trace_id=state["trace_id"], agent_id="langgraph-supervisor",
                payload={"value": 0.8, "α": 1.2, "reason": "task_completed_successfully"},
            )  # fmt: skip
        else:
            semp.create_event(
                type="penalty", scope=scope, trace_id=state["trace_id"], agent_id="langgraph-supervisor",
                payload={"value": -0.3, "reason": "task_failed_quality_check"},
            )  # fmt: skip
        return state

    workflow = StateGraph(State)
    workflow.add_node("propose", agent_propose)
    workflow.add_node("execute", agent_execute)
    workflow.add_node("verify", agent_verify)
    workflow.set_entry_point("propose")
    workflow.add_edge("propose", "execute")
    workflow.add_edge("execute", "verify")
    workflow.add_edge("verify", END)
    given: Any = {"task": "analyze data"}
    result = workflow.compile().invoke(given)
    assert result["result"] == "Processed: analyze data"
    assert [event["type"] for event in trace_of(url, result["trace_id"]).events] == ["proposal", "ready", "reward"]
    signal = semp.get_signal(scope, "process_task")
    assert signal is not None
    assert signal["strength"] > 0.7, "strong: proceed with confidence"
    semp.close()


@pytest.mark.parametrize("task", ["analyze data", ""])
def test_the_public_example_s_intent_in_two_lines(url: str, task: str) -> None:
    """Work is proposed, done, and verified with a reward or a penalty; a signal says whether to go on that way. No node calls a client."""
    recorder = recorder_at(url, scope=f"workflow.s{new_id()}", agent_id="langgraph-supervisor", trace_id=new_id())

    def verify(state: State) -> Any:
        if state["result"]:
            scored(0.8, of="execute", reason="task_completed_successfully")
        else:
            scored(-0.3, of="execute", reason="task_failed_quality_check")

    def execute(state: State) -> Any:
        return {"result": state["task"] and f"Processed: {state['task']}"}

    workflow = StateGraph(State)
    workflow.add_node("execute", execute)
    workflow.add_node("verify", verify)
    workflow.add_edge(START, "execute")
    workflow.add_edge("execute", "verify")
    app = recorder.watch(workflow.compile(name="task1"))
    given: Any = {"task": task}
    app.invoke(given)
    events = told(recorder)
    judged = events.one("reward" if task else "penalty", "execute")
    assert {event["id"] for event in (events.one("proposal", "execute"), events.one("ready", "execute"))} <= events.causes(judged)
    signals = {signal["pattern"]: signal["strength"] for signal in get(url, "/api/signals", scope=recorder.recording.scope)}
    assert (signals.get("execute", 0) > 0.7) is bool(task)
