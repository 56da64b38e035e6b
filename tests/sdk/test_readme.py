"""The examples of the README of the Python SDK, run as printed on the real service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Service

README = Path(__file__).parents[2] / "sdk" / "python" / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """The names that earlier blocks have defined."""
    return {"__name__": "readme"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(service: Service, names: dict[str, Any], number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = BLOCKS[number].replace("http://localhost:5000", service.url)
    exec(compile(code, f"{README.name}, block {number + 1}", "exec"), names)
    if number == 0:
        assert "new: proposal ui.login\nproposed: bigger_button" in capsys.readouterr().out
