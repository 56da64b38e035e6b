"""The OpenTelemetry section of the page on connectors, run as printed, one block after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Stored, get
from langchain_core.messages import AIMessage
from openinference.instrumentation.langchain import LangChainInstrumentor
from semp_sdk.identifiers import new_id
from test_agent_framework import Replay
from test_openinference import answers

PAGE = Path(__file__).parents[3] / "connectors.md"
SECTIONS = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
[SECTION] = [part for part in SECTIONS if part.startswith("OpenTelemetry\n")]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


@pytest.mark.filterwarnings("ignore:Overriding of current TracerProvider")
def test_the_blocks_of_the_page_run(url: str) -> None:
    names: dict[str, Any] = {"__name__": "page", "client": Replay, "model": answers(AIMessage("Hello"))}
    scope = f"s{new_id()}"
    try:
        for number, block in enumerate(BLOCKS):
            code = block.replace("http://localhost:5000", url).replace('"shop"', repr(scope))
            exec(compile(code, f"{PAGE.name}, block {number + 1}", "exec", dont_inherit=True), names)
    finally:
        if LangChainInstrumentor().is_instrumented_by_opentelemetry:
            LangChainInstrumentor().uninstrument()
    found = Stored(get(url, "/api/events", agent_id="planner", order="asc", limit=1000, scope=scope))
    assert [(event["type"], event["payload"]["action"]) for event in found.events] == [
        ("proposal", "planner"), ("ready", "planner"), ("reward", "planner"),
    ]  # fmt: skip
    [search] = Stored(get(url, "/api/events", scope=f"{scope}.planner")).of("proposal", "search")
    assert search["parent_ids"] == [found.events[0]["id"]]
    [critic] = Stored(get(url, "/api/events", agent_id="critic", scope=scope)).of("proposal")
    [cause] = critic["parent_ids"]
    assert get(url, f"/api/events/{cause}")["payload"]["action"] == "writer"
    told = Stored(get(url, "/api/events", agent_id="otel", order="asc", limit=1000, scope=scope))
    assert told.parents(told.one("proposal", "model")) == [("proposal", "greeter")]
    assert told.one("ready", "greeter")["payload"]["operation"] == "CHAIN"
