"""Log lines on standard error."""

from __future__ import annotations

import logging
import sys

from semp.cli.terminal import visible

OTHERS = ("neo4j", "httpx", "uvicorn", "urllib3", "jgo", "mcp")
"""Libraries of which only warnings are of interest, unless somebody looks for a fault."""
TOLD_BY_US = ("neo4j.pool", "neo4j.io")
"""What these have to say goes with our own messages, which also name the address and the cause."""


class _Formatter(logging.Formatter):
    """What clients sent can stand in a message, and a log is read on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), lines=True)


def configure_logging(level: str) -> None:
    """Log to standard error.

    Args:
        level: the least important lines that are written: debug, info, warning or error. Only debug shows also what
            libraries say below a warning.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level == "debug":
        return
    for name in OTHERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)
