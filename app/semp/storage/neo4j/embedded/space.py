"""Space on the disk that holds the data: enough before a start, and said so when it has run out."""

from __future__ import annotations

import shutil
from pathlib import Path

from .errors import EmbeddedNeo4jError

MB = 1_000_000
NEW_DATA = 300 * MB
"""Bytes that a new database needs: 134 MB for its files and logs as they are made, and room for the first events."""
OLD_DATA = 50 * MB
"""Bytes without which an existing database cannot write its logs."""


def require_space(home: Path, needed: int, what: str) -> None:
    """Refuse to start where there is too little space.

    Raises:
        EmbeddedNeo4jError: names the directory, what is free and what is needed.
    """
    free = shutil.disk_usage(home).free
    if free < needed:
        raise EmbeddedNeo4jError(
            f"the disk of {home} is full: {free // MB} MB are free, {what} needs {needed // MB} MB. "
            "Make room, or keep the data elsewhere (--data or SEMP_DATA)"
        )


def full(home: Path) -> str:
    """Words for a log line where the disk has run out of space, else nothing."""
    try:
        free = shutil.disk_usage(home).free
    except OSError as error:
        return f"; {home} cannot be read: {error.strerror or error}"
    return f"; the disk of {home} is full ({free // MB} MB are free)" if free < OLD_DATA else ""
