"""The AutoGen section of the page on connectors, run as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import trace_of

PAGE = Path(__file__).parents[3] / "connectors.md"
SECTIONS = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
BLOCKS = [block for part in SECTIONS if part.startswith("AutoGen\n") for block in re.findall(r"^```python\n(.*?)^```$", part, re.M | re.S)]
PRINTED = ["Text 'APPROVE' mentioned", "critic"]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the blocks before have defined."""
    return {"__name__": "page"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_page_runs(url: str, names: dict[str, Any], number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = BLOCKS[number].replace("http://localhost:5000", url)
    exec(compile(code, f"{PAGE.name}, AutoGen, block {number + 1}", "exec", dont_inherit=True), names)
    assert capsys.readouterr().out == f"{PRINTED[number]}\n"
    names["team"]._semp_watch.teller.recording.flush(10)


def test_the_scores_of_the_page_are_rewards_of_what_they_are_about(url: str, names: dict[str, Any]) -> None:
    """Goes by the first block."""
    team, critic = names["team"], names["critic"]
    found = trace_of(url, team._semp_watch.ended.trace_id)
    assert [(reward["payload"]["value"], reward["payload"]["reason"], found.parents(reward)) for reward in found.of("reward")] == [
        (0.8, "productive_conversation", [("ready", team.name)]), (0.5, "found the slow part", [("ready", critic.name)]),
    ]  # fmt: skip
    for reward, runner in zip(found.of("reward"), (team, critic), strict=True):
        assert reward["parent_ids"] == [found.of("ready", runner.name)[-1]["id"]]
        assert reward["scope"] == "coding"
