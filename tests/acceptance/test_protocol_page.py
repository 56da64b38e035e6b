"""The commands of docs/protocol.md, run as printed and in order. They must answer the JSON that is printed below them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import Service

PAGE = (Path(__file__).parents[2] / "docs/protocol.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(bash|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
VARIES = {"id", "timestamp", "last_updated"}
"""Fields that differ on each run: the server or the clock sets them."""


def steps() -> Iterator[tuple[str, Any]]:
    """Each block of commands, with the JSON of the block after it, or None. JSON with `...` shows a form only, and is not compared."""
    for (kind, text), (below, shown) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind == "bash":
            yield text, json.loads(shown) if below == "json" and "..." not in shown else None


def comparable(value: Any, near: bool = False) -> Any:
    """The value without fields that vary. With `near`, numbers may differ by 5 %, for decay between two commands."""
    if isinstance(value, dict):
        return {name: comparable(item, near) for name, item in cast("dict[str, Any]", value).items() if name not in VARIES}
    if isinstance(value, list):
        return [comparable(item, near) for item in cast("list[Any]", value)]
    return pytest.approx(value, rel=0.05) if near and isinstance(value, float) else value


def test_every_command_answers_what_the_page_shows(service: Service) -> None:
    compared = 0
    for commands, shown in steps():
        script = commands.replace("http://localhost:5000", service.url)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        assert '"message"' not in done.stdout, f"{commands}\n{done.stdout}"
        if shown is not None:
            answers = re.sub(r"\}\s*\{", "}\n{", done.stdout).splitlines()
            assert comparable(json.loads(answers[-1])) == comparable(shown, near=True), commands
            compared += 1
    assert compared >= 4
