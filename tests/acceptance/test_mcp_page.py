"""The commands and examples of docs/mcp.md, run as printed, and its lists against what the server offers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from semp.mcp.arguments import MAX_WAIT
from semp.mcp.resources import FIXED, TEMPLATES
from semp.mcp.tools import TOOLS

from tests.conftest import Service

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/mcp.md").read_text("utf-8")
URL = "http://127.0.0.1:5000"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("sh"))
def test_a_command_lists_the_tools(service: Service, block: str) -> None:
    script = block.replace(URL, service.url)
    environment = {**service.environment, "SEMP_URL": service.url}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["result"]["tools"]] == list(TOOLS)


def test_the_python_example_runs(service: Service) -> None:
    [code] = blocks("python")
    done = subprocess.run([sys.executable, "-c", code.replace(URL, service.url)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "improve_ux\n", done.stderr


def test_a_client_with_the_printed_configuration_connects(service: Service) -> None:
    over_http, over_stdio = (json.loads(block)["mcpServers"]["semp"] for block in blocks("json") if "mcpServers" in block)
    assert over_http == {"type": "http", "url": f"{URL}/mcp"}
    line = [str(ROOT / ".venv/bin" / over_stdio["command"]), *[word.replace(URL, service.url) for word in over_stdio["args"]]]
    assert subprocess.run(line, input="", capture_output=True, text=True, timeout=60).returncode == 0


def test_the_lists_of_tools_and_resources_are_complete() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(TOOLS)
    assert set(re.findall(r"^\| `(semp://[^`]*)` \|", PAGE, re.MULTILINE)) == {one.uri for one in (*FIXED, *TEMPLATES)}
    assert f"{MAX_WAIT:.0f} s at most" in PAGE


def test_the_commands_of_a_client_say_what_the_configuration_says() -> None:
    """The client itself is a program of others, and is not run."""
    [block] = blocks("console")
    over_http, over_stdio = (json.loads(text)["mcpServers"]["semp"] for text in blocks("json") if "mcpServers" in text)
    assert block.splitlines() == [
        f"claude mcp add --transport {over_http['type']} semp {over_http['url']}",
        f"claude mcp add semp -- {' '.join([over_stdio['command'], *over_stdio['args']])}",
    ]
