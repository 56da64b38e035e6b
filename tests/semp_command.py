"""The `semp` command as a process of its own, for tests of what it prints, changes and answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

SECRET = "do-not-print-4711"


def command(*arguments: str, environment: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """The line and its variables. Data would go to a directory that cannot be made, so that no mistake here starts a database."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    ours = {"SEMP_DATA": "/dev/null/semp", "SEMP_NEO4J_PASSWORD": SECRET}
    return [sys.executable, "-m", "semp", *arguments], {**variables, **ours, **(environment or {})}


def semp(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None, within: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end; whatever it does, it prints no password and no traceback."""
    line, variables = command(*arguments, environment=environment)
    found = subprocess.run(line, input=stdin, capture_output=True, env=variables, timeout=within, check=False)
    for text in (found.stdout, found.stderr):
        assert SECRET.encode() not in text
        assert b"Traceback" not in text, text.decode()
    password = variables["SEMP_NEO4J_PASSWORD"].encode()
    assert password not in found.stdout + found.stderr
    return found


def assert_one_clear_line(found: subprocess.CompletedProcess[bytes], *words: str) -> None:
    assert found.returncode == 1, (found.returncode, found.stderr)
    assert found.stdout == b""
    text = found.stderr.decode()
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert lines[0].startswith("semp: ")
    for word in words:
        assert word in lines[0]


def new_events(count: int, **changes: Any) -> list[dict[str, Any]]:
    event = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}
    return [{"id": str(uuid.uuid4()), **event, "agent_id": str(number), **changes} for number in range(count)]


def write(file: Path, events: list[dict[str, Any]]) -> Path:
    """The events as NDJSON."""
    file.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), encoding="utf-8")
    return file
