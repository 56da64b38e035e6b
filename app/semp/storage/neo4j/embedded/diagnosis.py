"""Explains why a start of Neo4j failed, from what this start wrote to the logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

QUOTED_LINES = 8  # lines of the logs in an error message, at most
_READ_AT_MOST = 256 * 1024  # bytes from the end of a log

# The first match counts. The patterns are parts of messages of Neo4j, of Java and of the operating system.
_CAUSES: tuple[tuple[str, str], ...] = (
    (r"Address already in use|PortBindException", "the port {port} is taken by another program"),
    (r"Could not reserve enough space|insufficient memory|java.lang.OutOfMemoryError|Cannot allocate memory",
     "too little memory for the sizes it was given; set a smaller heap or page cache"),
    (r"No space left on device|Disk quota exceeded", "the disk is full"),
    (r"Read-only file system|AccessDeniedException|Permission denied", "a file or directory cannot be written"),
    (r"StoreLockException|FileLockException|Lock file has been locked|Unable to obtain lock on store",
     "another Neo4j has this store open"),
    (r"UnsupportedClassVersionError", "this Java is too old for this version of Neo4j"),
    (r"Unrecognized setting|Unknown setting|InvalidConfig|Error evaluating value for setting",
     "neo4j.conf holds a setting this version does not know"),
    (r"[Cc]orrupt|[Cc]hecksum|unable to be recovered|UnderlyingStorage|[Tt]ransaction logs are missing|"
     r"recovery is not possible|Store files .*missing|[Ii]nconsistent|unreadable|Failed to read current store version",
     "the store is damaged; move the directory away and import a backup, or start with an empty log"),
    (r"Unknown (store|database) format|newer version|UpgradeNotAllowed|StoreVersion",
     "the store was written by another version of Neo4j"),
)  # fmt: skip
_INFORMATIVE = re.compile(r"ERROR|WARN|Caused by|Exception|Error|error|[Ff]ailed|insufficient|Could not")
_NOISE = re.compile(r"^\s+at |^\s*\.\.\. \d+ more|Fleet discovery")


class StartLogs:
    """The logs of one start. It remembers their sizes before the start, so that failures of earlier starts are not quoted."""

    def __init__(self, home: Path, console: Path) -> None:
        self.log = home / "logs" / "neo4j.log"
        self._debug = home / "logs" / "debug.log"
        self._console = console
        self._offsets = {path: _size(path) for path in (self.log, self._debug)}

    def said(self) -> str:
        """The text added to neo4j.log since this start began."""
        return self._new_text(self.log)

    def port_was_taken(self) -> bool:
        """Whether this start failed because another program uses its port."""
        return re.search(_CAUSES[0][0], self.said()) is not None

    def explain(self, port: int, secret: str, message: str = "") -> str:
        """The rest of an error message: the cause in words if it is known, the last informative lines, and where the logs are.

        Args:
            port: of Bolt, for the words.
            secret: is replaced by ``***`` in the result.
            message: what Neo4j reported about the failure elsewhere; it is searched together with the logs.
        """
        report = "\n".join((_tail(self._console), self.said(), *self.database_failures(), message))
        cause = next((words for pattern, words in _CAUSES if re.search(pattern, report)), None)
        text = f": {cause.format(port=port)}" if cause else ""
        for line in _informative_lines(report):
            text += f"\n    {line[:300]}"
        return (text + f"\n  All messages: {self.log} and {self._debug}").replace(secret, "***")

    def database_failures(self, only: str = "") -> list[str]:
        """The messages in debug.log (JSON lines) about databases that could not be opened.

        Args:
            only: a part of the database's id, such as ``[system]``; empty for all databases.
        """
        failures: list[str] = []
        for line in self._new_text(self._debug).splitlines():
            if "Failed to start DatabaseId" in line and only in line:
                try:
                    entry: dict[str, str] = json.loads(line)
                except ValueError:
                    continue  # the line is still being written
                failures.append(f"{entry.get('message', '')}: {entry.get('stacktrace', '').partition(chr(10))[0]}")
        return failures

    def _new_text(self, path: Path) -> str:
        offset = self._offsets.get(path, 0)
        return _tail(path, 0 if _size(path) < offset else offset)


def _informative_lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if _INFORMATIVE.search(line) and not _NOISE.search(line)]
    return list(dict.fromkeys(lines))[-QUOTED_LINES:]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tail(path: Path, start: int = 0) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(start, _size(path) - _READ_AT_MOST))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
