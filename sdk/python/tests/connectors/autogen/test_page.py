"""The AutoGen section of the page on connectors, run as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

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
