"""The page's section on CrewAI, run as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from conftest import trace_of
from scripted import Scripted

PAGE = Path(__file__).parents[3] / "connectors.md"


def test_the_page_runs_as_printed(url: str) -> None:
    section = PAGE.read_text().split("\n## CrewAI\n")[1].split("\n## ")[0]
    names: dict[str, Any] = {"model": Scripted()}
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 3
    try:
        for block in blocks:
            exec(block.replace("http://localhost:5000", url), names)
    finally:
        listener = names["listener"]
        listener.close()
    ended = listener._reporter.ended(str(names["crew"].id))
    assert ended.trace_id == "article-7"
    assert [event["scope"] for event in trace_of(url, "article-7").of("ready", "execute_task")][-2:] == ["crew.research", "crew.writing"]
