"""Log lines of the command line: which ones a level shows, and that they send no control sequences to a terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
from semp.cli.logs import configure_logging
configure_logging(sys.argv[1])
for name in ("semp.engine", "neo4j", "neo4j.pool"):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(name), level)("%s of %s \\x1b[2J", level, name)
"""


@pytest.mark.parametrize(
    ("level", "service", "driver", "pool"), [("debug", 4, 4, 4), ("info", 3, 2, 0), ("warning", 2, 2, 0), ("error", 1, 1, 0)]
)
def test_a_level_leaves_out_less_important_lines(level: str, service: int, driver: int, pool: int) -> None:
    """Each logger writes four lines, one of every level. They run in another process, because pytest installs log handlers here."""
    text = subprocess.run([sys.executable, "-c", PROGRAM, level], capture_output=True, text=True, check=True).stderr
    assert [text.count(f" of {name} ") for name in ("semp.engine", "neo4j", "neo4j.pool")] == [service, driver, pool]
    assert "\x1b" not in text
    assert "\\x1b[2J" in text
