"""Configures logging to standard error."""

from __future__ import annotations

import logging
import sys

from semp.cli.terminal import visible

OTHERS = ("neo4j", "httpx", "uvicorn", "urllib3", "jgo", "mcp")
"""Libraries whose messages below a warning are shown only at level debug."""
REPORTED_BY_THE_SERVICE = ("neo4j.pool", "neo4j.io")
"""Loggers whose warnings and errors are hidden: the service logs the same failures, with the address and the cause."""


class _Formatter(logging.Formatter):
    """Escapes control characters. A message may contain text that clients sent, and a log may be read on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), lines=True)


def configure_logging(level: str) -> None:
    """Log to standard error.

    Args:
        level: the least severe level that is written: debug, info, warning or error. Only debug also shows messages of libraries below a
            warning.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level == "debug":
        return
    for name in OTHERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in REPORTED_BY_THE_SERVICE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
