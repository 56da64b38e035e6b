"""Command for developers that writes a lock file: ``python -m semp.storage.neo4j.embedded.lock VERSION [MIRROR]``.

MIRROR is the URL of a Maven repository; without it, the central repository is used.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from jgo.maven import Artifact

from .distribution import PARALLEL_DOWNLOADS, maven_context, sha256_of
from .lockfile import LOCKS, LockedJar, render

ROOTS = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")
RUN_TIME = (None, "", "compile", "runtime")
# Test libraries that some POMs declare without the scope "test". The server never loads them.
NOT_NEEDED = {("junit", "junit"), ("org.hamcrest", "hamcrest"), ("org.mockito", "mockito-core"),
              ("org.objenesis", "objenesis"), ("net.bytebuddy", "byte-buddy-agent")}  # fmt: skip


class _Refuse(logging.Handler):
    """Raises an error where jgo only logs a warning: a download does not match the checksum of the repository."""

    def emit(self, record: logging.LogRecord) -> None:
        if "mismatch" in record.getMessage():
            raise ValueError(record.getMessage())


def make_lock(version: str, repository: str | None = None, folder: Path = LOCKS) -> Path:
    """Resolve the dependencies of Neo4j `version`, download and hash every jar, and write the lock file into `folder`. Takes minutes.

    Args:
        repository: URL of a Maven mirror, None for the central repository.

    Returns:
        The lock file.

    Raises:
        ValueError: a download does not match the checksum of the repository.
    """
    logging.getLogger("jgo").addHandler(_Refuse())
    with TemporaryDirectory(prefix="semp-lock-") as scratch:
        context = maven_context(Path(scratch), repository)
        roots = [context.create_dependency(f"{root}:{version}") for root in ROOTS]
        top, nodes = context.resolver.get_dependency_list(roots)
        artifacts: list[Artifact] = [
            node.dep.artifact
            for node in [*top.children, *nodes]
            if node.dep.scope in RUN_TIME and not node.dep.optional and (node.dep.groupId, node.dep.artifactId) not in NOT_NEEDED
        ]
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            jars = list(pool.map(_locked, artifacts))
    target = folder / f"neo4j-{version}.lock"
    target.write_text(render(version, jars), encoding="utf-8")
    return target


def _locked(artifact: Artifact) -> LockedJar:
    digest = sha256_of(artifact.resolve())
    return LockedJar(artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier, digest)


if __name__ == "__main__":
    print(make_lock(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
