"""The `semp` command, run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

SECRET = "do-not-print-4711"
"""The database password of every command that a test runs without another one."""


def command(*arguments: str, environment: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """The command line and its environment variables, without those of the user's own `semp`.

    The data directory cannot be created, so that a mistake in a test never starts a database.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    defaults = {"SEMP_DATA": "/dev/null/semp", "SEMP_NEO4J_PASSWORD": SECRET}
    return [sys.executable, "-m", "semp", *arguments], {**variables, **defaults, **(environment or {})}


def semp(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None, within: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, for at most `within` seconds. It must print no password and no traceback."""
    line, variables = command(*arguments, environment=environment)
    done = subprocess.run(line, input=stdin, capture_output=True, env=variables, timeout=within, check=False)
    for text in (done.stdout, done.stderr):
        assert SECRET.encode() not in text
        assert b"Traceback" not in text, text.decode()
    password = variables["SEMP_NEO4J_PASSWORD"].encode()
    assert password not in done.stdout + done.stderr
    return done


def assert_one_clear_line(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    """The command failed, and printed nothing but one line of error that holds these words."""
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stdout == b""
    text = done.stderr.decode()
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert lines[0].startswith("semp: ")
    for word in words:
        assert word in lines[0]
