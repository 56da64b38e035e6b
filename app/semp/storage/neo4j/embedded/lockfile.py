"""Reads and writes lock files: the jars of one Neo4j version, and the SHA-256 of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedNeo4jError

LOCKS = Path(__file__).parent
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class LockedJar:
    """One jar: its Maven coordinate, and the SHA-256 that its content must have (64 hexadecimal digits)."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """``group:artifact:version[:classifier]``, as in the lock file."""
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)

    @property
    def path(self) -> Path:
        """Path below the root of a Maven repository. For a jar from `parse` it is always relative and never contains ``..``."""
        name = "-".join(part for part in (self.artifact, self.version, self.classifier) if part)
        return Path(*self.group.split("."), self.artifact, self.version, f"{name}.jar")


def parse(text: str) -> tuple[LockedJar, ...]:
    """The jars in the text of a lock file: one ``coordinate sha256`` on each line; ``#`` starts a comment.

    Raises:
        EmbeddedNeo4jError: a line is malformed, a coordinate occurs twice, or there is no jar. The message names the line.
    """
    jars: dict[str, LockedJar] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        coordinate, _, digest = line.partition(" ")
        parts = coordinate.split(":")
        well_formed = len(parts) in (3, 4) and all(_PART.fullmatch(p) and ".." not in p for p in parts)
        if not well_formed or not _SHA256.fullmatch(digest):
            raise EmbeddedNeo4jError(f"lock file, line {number}: expected 'group:artifact:version[:classifier] sha256'")
        if coordinate in jars:
            raise EmbeddedNeo4jError(f"lock file, line {number}: {coordinate} is listed twice")
        group, artifact, version, *rest = parts
        jars[coordinate] = LockedJar(group, artifact, version, rest[0] if rest else "", digest)
    if not jars:
        raise EmbeddedNeo4jError("lock file: it names no jar")
    return tuple(jars.values())


def render(version: str, jars: list[LockedJar]) -> str:
    """The text of a lock file, the inverse of `parse`. The jars are sorted, so the same jars always give the same text."""
    head = f"# The jars that Neo4j Community {version} needs at run time. Made by: python -m semp.storage.neo4j.embedded.lock {version}\n"
    return head + "".join(f"{jar.coordinate} {jar.sha256}\n" for jar in sorted(jars))


def available(folder: Path = LOCKS) -> tuple[str, ...]:
    """The versions of Neo4j that have a lock file."""
    return tuple(sorted(p.name.removeprefix("neo4j-").removesuffix(".lock") for p in folder.glob("neo4j-*.lock")))


def load(version: str, folder: Path = LOCKS) -> tuple[LockedJar, ...]:
    """The jars of a version of Neo4j.

    Raises:
        EmbeddedNeo4jError: there is no lock file for it, or it is malformed.
    """
    file = folder / f"neo4j-{version}.lock"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        have = ", ".join(available(folder)) or "none"
        raise EmbeddedNeo4jError(f"no lock file for Neo4j {version}; there is one for: {have}") from None
    return parse(text)
