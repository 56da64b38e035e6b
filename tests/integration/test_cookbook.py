"""The cookbook: every query under `cypher/cookbook/` on a small log, with results worked out by hand, and the page that shows them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from semp.domain.event_types import EventType
from semp.storage import queries
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty, neo4j_environment
from tests.strategies import FakeClock, Writer, make_id, new_draft

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/cypher.md"
COOKBOOK = {name for name in queries.load() if name.startswith("cookbook/")}
MINUTES = 10
"""Minutes from each event of the story to the next."""
STORY: list[tuple[int, EventType, str, str, str, list[int], dict[str, Any]]] = [
    # number, type, scope, agent, trace, causes, payload
    (1, "proposal", "ui.login", "ann", "login", [], {"action": "form"}),
    (2, "ready", "ui.login", "bob", "login", [1], {}),
    (3, "test", "ui.login", "cy", "login", [2], {"status": "failed"}),
    (4, "penalty", "ui.login", "cy", "login", [3], {}),
    (5, "proposal", "ui.login", "ann", "login", [4], {"action": "form"}),
    (6, "ready", "ui.login", "bob", "login", [5], {}),
    (7, "reward", "ui.login", "cy", "login", [6], {}),
    (8, "proposal", "api.search", "bob", "search", [], {"action": "index"}),
    (9, "proposal", "api.search", "ann", "search", [], {"action": "cache"}),
    (10, "ready", "api.search", "cy", "search", [8, 1], {}),
    (11, "penalty", "api.search", "ann", "search", [10], {}),
    (12, "proposal", "docs", "bob", "manual", [], {"action": "write"}),
    (13, "penalty", "docs", "ann", "manual", [], {}),
    (14, "ready", "ui.login", "cy", "login", [4], {}),
    (15, "ready", "api.search", "bob", "search", [11], {}),
    (16, "reward", "api.search", "ann", "search", [15], {}),
]


def when(number: int) -> str:
    minutes = MINUTES * number + 10
    return f"2025-01-15T{10 + minutes // 60}:{minutes % 60:02}:00.000Z"


def step(number: int, seconds: float, place: int) -> list[Any]:
    return [place, make_id(number), STORY[number - 1][1], STORY[number - 1][3], seconds]


def before(number: int, led_there: bool) -> list[Any]:
    _, kind, scope, agent, *_ = STORY[number - 1]
    return [make_id(number), kind, agent, scope, when(number), led_there]


EXPECTED: list[tuple[str, dict[str, Any], list[list[Any]]]] = [
    # 4 goes back to proposal 1, 11 to 8 and 1; 13 names no cause
    ("penalised_agents", {}, [["ann", 1, 2], ["bob", 1, 1]]),
    ("penalised_agents", {"after": 4}, [["ann", 1, 1], ["bob", 1, 1]]),
    # 13 answers 12 though it names no cause
    ("unanswered_proposals", {}, [[make_id(9), "ann", "api.search", "cache", when(9)]]),
    # 5 and 14 of 1, 2, 5, 6, 14; 15 of 8, 9, 10, 15
    ("rework_scopes", {}, [["ui.login", 2, 5], ["api.search", 1, 4]]),
    # ann to bob: 1 to 2, 5 to 6, and 11 to 15 after 40 minutes; bob to cy: 2 to 3, 6 to 7, and 8 to 10, since 1 was long there
    (
        "who_unblocks_whom",
        {},
        [["ann", "bob", 3, 1200.0], ["bob", "cy", 3, 800.0], ["cy", "ann", 2, 600.0], ["bob", "ann", 1, 600.0]],
    ),
    ("busiest_handovers", {}, [["ann", "bob", 3, 2], ["bob", "cy", 3, 2], ["cy", "ann", 2, 2], ["ann", "cy", 1, 1], ["bob", "ann", 1, 1]]),
    ("busiest_handovers", {"limit": 1, "after": 10}, [["ann", "bob", 1, 1]]),
    # 14 ends a shorter one
    (
        "longest_chain",
        {"trace_id": "login"},
        [step(1, 0.0, 1), *[step(number, 600.0, number) for number in range(2, 8)]],
    ),
    ("longest_chain", {"trace_id": "manual"}, [step(13, 0.0, 1)]),
    # 10 goes on when 8 is there; its cause 1 is of another trace
    (
        "longest_chain",
        {"trace_id": "search"},
        [step(8, 0.0, 1), step(10, 1200.0, 2), step(11, 600.0, 3), step(15, 2400.0, 4), step(16, 600.0, 5)],
    ),
    ("shared_causes_of_failures", {}, [[make_id(1), "proposal", "ann", "ui.login", "form", 2, 3]]),
    ("shared_causes_of_failures", {"scope": "docs"}, []),
    # 7: 6, 5, 4, 3, 2, 1. 16: 15, 11, 10, then 8 and 1
    ("furthest_rewards", {}, [["cy", 1, 6, 6], ["ann", 1, 4, 5]]),
    ("untested_traces", {}, [["search", 6, 2, True], ["manual", 2, 1, False]]),
    (
        "before_a_penalty",
        {"id": make_id(11)},
        [before(5, False), before(6, False), before(7, False), before(8, True), before(9, False), before(10, True)],
    ),
    ("before_a_penalty", {"id": make_id(13), "minutes": 15}, [before(12, False)]),
    # 16 is as far from 8, bob's, as from 1, ann's own
    ("who_rewards_whom", {}, [["ann", "ann", 1], ["ann", "bob", 1], ["cy", "ann", 1]]),
    # ann: 1 and 5 make it 0.3, 11 takes all that 40 minutes left, 16 adds 0.6
    # cy: 4 takes the 0.0644 that 30 minutes left, 7 adds 0.6, 14 makes it 0.3
    ("who_moved_a_signal", {"signal": "ui.login:form"}, [["ann", 4, 1.2, 0.0909], ["cy", 3, 0.9, 0.0644]]),
    ("who_moved_a_signal", {"signal": "docs:never"}, []),
    # 8 was answered by 10; 9 and 12 were not
    ("slow_answers", {}, [["api.search", 2, 1, 1200.0], ["ui.login", 2, 2, 600.0], ["docs", 1, 0, None]]),
]


@pytest.fixture(scope="module")
def target(neo4j_target: Target) -> Target:
    """A database that holds the story."""

    async def fill() -> None:
        store, clock = Neo4jStore(neo4j_target), FakeClock()
        writer = await Writer.on(store, clock)
        for number, kind, scope, agent, trace, causes, payload in STORY:
            clock.now += MINUTES * 60_000
            parents = [make_id(cause) for cause in causes]
            await writer.append(new_draft(kind, scope, number=number, agent=agent, trace=trace, parents=parents, **payload))  # type: ignore[arg-type]
        await writer.committer.close()
        await store.close()

    empty(neo4j_target)
    asyncio.run(fill())
    return neo4j_target


async def rows_of(target: Target, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    store = Neo4jStore(target)
    try:
        rows, _ = await store.query(f"cookbook/{name}", parameters)
        return rows
    finally:
        await store.close()


@pytest.mark.parametrize(("name", "parameters", "expected"), EXPECTED)
async def test_a_query_gives_the_expected_rows(target: Target, name: str, parameters: dict[str, Any], expected: list[list[Any]]) -> None:
    found = await rows_of(target, name, parameters)
    assert [list(row.values()) for row in found] == expected
    for row in found:
        assert tuple(row) == queries.load()[f"cookbook/{name}"].returns


def test_every_query_is_tested_here_and_gives_rows() -> None:
    assert {f"cookbook/{name}" for name, _, _ in EXPECTED} == COOKBOOK
    assert {f"cookbook/{name}" for name, _, expected in EXPECTED if expected} == COOKBOOK


def test_every_file_opens_with_its_question_in_two_lines() -> None:
    for name in COOKBOOK:
        first, second, third, *_ = (queries.directory() / f"{name}.cypher").read_text("utf-8").splitlines()
        assert re.fullmatch(r"// .*\?", first), name
        assert re.fullmatch(r"// .*\.", second), name
        assert third == "// mode: read", name


def sections() -> dict[str, str]:
    """The cookbook's page by the file each section is about."""
    parts = re.split(r"^### .*\[`(cookbook/\w+)`\]\(\.\./cypher/\1\.cypher\)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_has_a_section_for_every_file_in_full() -> None:
    found = sections()
    assert found.keys() == COOKBOOK
    for name, text in found.items():
        query = queries.load()[name]
        assert f"```cypher\n{query.text}\n```" in text, name
        question = (queries.directory() / f"{name}.cypher").read_text("utf-8").splitlines()[0].removeprefix("// ")
        assert question in PAGE.read_text("utf-8"), name


@pytest.mark.parametrize("name", sorted(COOKBOOK))
async def test_the_page_shows_the_rows_that_the_query_gives(target: Target, name: str) -> None:
    text = sections()[name]
    command = re.search(rf"^\.venv/bin/semp query {name}.*$", text, re.MULTILINE)
    assert command, name
    environment = {**os.environ, **neo4j_environment(target)}
    done = await asyncio.to_thread(
        subprocess.run, command[0], shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in re.search(r"```json\n(.*?)\n```", text, re.DOTALL)[1].splitlines()]  # type: ignore[index]
    assert shown
    assert shown == [json.loads(line) for line in done.stdout.splitlines()][: len(shown)]
