"""Why a start failed, in words: reads what this start wrote to its logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

QUOTED_LINES = 8
_READ_AT_MOST = 256 * 1024

# First match wins. The text comes from Neo4j's, the JVM's and the operating system's own messages.
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
_TELLING = re.compile(r"ERROR|WARN|Caused by|Exception|Error|error|[Ff]ailed|insufficient|Could not")
_NOISE = re.compile(r"^\s+at |^\s*\.\.\. \d+ more|Fleet discovery")


class StartLogs:
    """The logs of one start: remembers where they ended before it, so that older failures are not quoted."""

    def __init__(self, home: Path, console: Path) -> None:
        self.log = home / "logs" / "neo4j.log"
        self._debug = home / "logs" / "debug.log"
        self._console = console
        self._offsets = {path: _size(path) for path in (self.log, self._debug)}

    def said(self) -> str:
        """What neo4j.log got since this start began."""
        return self._new_text(self.log)

    def port_was_taken(self) -> bool:
        """Whether this start failed because of its port."""
        return re.search(_CAUSES[0][0], self.said()) is not None

    def explain(self, port: int, secret: str, told: str = "") -> str:
        """Cause in words if known, the lines that matter, and where the logs are. Never holds `secret`.

        `told` is what Neo4j said elsewhere about the failure; it counts before the logs.
        """
        told = "\n".join((_tail(self._console), self.said(), *self.database_failures(), told))
        cause = next((words for pattern, words in _CAUSES if re.search(pattern, told)), None)
        text = f": {cause.format(port=port)}" if cause else ""
        for line in _telling_lines(told):
            text += f"\n    {line[:300]}"
        return (text + f"\n  The whole story: {self.log} and {self._debug}").replace(secret, "***")

    def database_failures(self, only: str = "") -> list[str]:
        """Why a database could not be opened, from debug.log (JSON lines); `only` is a part of the database's id."""
        found: list[str] = []
        for line in self._new_text(self._debug).splitlines():
            if "Failed to start DatabaseId" in line and only in line:
                try:
                    entry: dict[str, str] = json.loads(line)
                except ValueError:
                    continue  # still being written
                found.append(f"{entry.get('message', '')}: {entry.get('stacktrace', '').partition(chr(10))[0]}")
        return found

    def _new_text(self, path: Path) -> str:
        offset = self._offsets.get(path, 0)
        return _tail(path, 0 if _size(path) < offset else offset)


def _telling_lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if _TELLING.search(line) and not _NOISE.search(line)]
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
