"""Downloads and verifies the jars of one Neo4j version, as its lock file lists them, into a cache that all checkouts share."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import EmbeddedNeo4jError
from .lockfile import LockedJar

if TYPE_CHECKING:
    from jgo.maven import MavenContext

PARALLEL_DOWNLOADS = 8
ATTEMPTS = 3  # downloads of one jar
BOOT = "boot"  # key of the boot id in a manifest
TIMEOUT = 10  # seconds that an attempt waits for an answer


def default_cache() -> Path:
    """``$SEMP_CACHE``, or else the user's cache directory for "semp". Checkouts and test runs share it."""
    configured = os.environ.get("SEMP_CACHE")
    if configured:
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("semp", appauthor=False)


def boot_id() -> str:
    """An identifier of the current boot of this machine; the same until the next boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:  # not Linux
        import psutil

        return str(int(psutil.boot_time()))


def sha256_of(path: Path) -> str:
    """SHA-256 of the content of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Distribution:
    """The jars of one lock file, in one cache directory.

    Guarantees: a jar is at its final path only if its hash was right. It is downloaded into another directory on the same file system, and
    moved after the check. A jar is hashed again when its size or time has changed, and all jars are hashed again after each boot of the
    machine, because size and time can be forged. Several processes may call `fetch` at the same time: one downloads, the others wait.

    Args:
        jars: of the lock file.
        cache: directory; it is created when it is missing.
        repository: URL of a Maven mirror, None for the central repository.
    """

    def __init__(self, jars: Sequence[LockedJar], cache: Path, repository: str | None = None) -> None:
        self._jars = tuple(jars)
        self._cache = cache
        self._root = cache / "maven"
        self._repository = repository
        lock_digest = hashlib.sha256("\n".join(f"{j.coordinate} {j.sha256}" for j in self._jars).encode()).hexdigest()
        self._manifest = cache / f"verified-{lock_digest[:16]}.json"

    def fetch(self, progress: Callable[[int, int], None] | None = None) -> list[Path]:
        """Download the jars that are missing, and return the paths of all jars. Blocks.

        Args:
            progress: called as `progress(done, total)`, in jars, from this thread only. Not called when no jar is missing.

        Raises:
            EmbeddedNeo4jError: a jar cannot be downloaded, its hash is not that of the lock file, or the cache cannot be used.
        """
        if not self._unverified():
            return self.paths
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            from filelock import FileLock

            with FileLock(self._cache / "fetch.lock"):
                for leftover in self._cache.glob("fetch-*/"):  # of downloads that were interrupted
                    shutil.rmtree(leftover, ignore_errors=True)
                missing = self._check()
                if missing:
                    self._download(missing, progress or _no_progress)
                self._write_manifest()
        except OSError as error:
            raise EmbeddedNeo4jError(f"cannot use the cache {self._cache}: {error.strerror or error}") from error
        return self.paths

    @property
    def paths(self) -> list[Path]:
        """Where the jars are after `fetch`, in the order of the lock file."""
        return [self._root / jar.path for jar in self._jars]

    def _stamp(self, jar: LockedJar) -> list[int] | None:
        """Size in bytes and modification time in nanoseconds of a jar; None when there is no such file."""
        try:
            status = (self._root / jar.path).stat()
        except OSError:
            return None
        return [status.st_size, status.st_mtime_ns]

    def _unverified(self) -> list[LockedJar]:
        """The jars that the manifest does not list as verified since the last boot, with their size and time of now."""
        try:
            known: dict[str, Any] = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return list(self._jars)
        if known.get(BOOT) != boot_id():
            return list(self._jars)
        return [jar for jar in self._jars if (stamp := self._stamp(jar)) is None or known.get(jar.coordinate) != stamp]

    def _check(self) -> list[LockedJar]:
        """Hash the jars that are not known to be right, delete those that are wrong, and return those that must be downloaded."""
        missing: list[LockedJar] = []
        for jar in self._unverified():
            path = self._root / jar.path
            if path.is_file() and sha256_of(path) == jar.sha256:
                continue
            path.unlink(missing_ok=True)
            missing.append(jar)
        return missing

    def _download(self, missing: list[LockedJar], progress: Callable[[int, int], None]) -> None:
        total = len(missing)
        progress(0, total)
        with (
            tempfile.TemporaryDirectory(prefix="fetch-", dir=self._cache) as staging,
            ThreadPoolExecutor(PARALLEL_DOWNLOADS, thread_name_prefix="fetch-jar") as pool,
        ):
            pending = [pool.submit(self._download_one, jar, Path(staging)) for jar in missing]
            try:
                for done, future in enumerate(as_completed(pending), start=1):
                    future.result()
                    progress(done, total)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _download_one(self, jar: LockedJar, staging: Path) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                fetched = self._resolve(jar, staging / str(attempt))
                break
            except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
                if attempt == ATTEMPTS:
                    raise _unreachable(jar, self._repository, error) from error
        else:
            raise AssertionError("unreachable: the loop breaks or raises")
        digest = sha256_of(fetched)
        if digest != jar.sha256:
            fetched.unlink()
            raise EmbeddedNeo4jError(
                f"{jar.coordinate} is not what the lock file says (sha256 {digest}, expected {jar.sha256}); "
                "it was deleted. Is the repository an honest mirror?"
            )
        target = self._root / jar.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, target)

    def _resolve(self, jar: LockedJar, staging: Path) -> Path:
        context = maven_context(staging, self._repository)
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier).resolve()

    def _write_manifest(self) -> None:
        known: dict[str, Any] = {jar.coordinate: self._stamp(jar) for jar in self._jars}
        draft = self._manifest.with_suffix(".tmp")
        draft.write_text(json.dumps({BOOT: boot_id(), **known}), encoding="utf-8")
        os.replace(draft, self._manifest)


def maven_context(repo_cache: Path, repository: str | None) -> MavenContext:
    """The access of jgo to one repository: a mirror by its URL, or with None the central repository."""
    from jgo.maven import MavenContext

    remotes = None if repository is None else {"mirror": repository.rstrip("/")}
    return MavenContext(repo_cache=repo_cache, remote_repos=remotes, timeout=TIMEOUT)


def _no_progress(_done: int, _total: int) -> None:
    """Ignore the progress."""


def _unreachable(jar: LockedJar, repository: str | None, cause: Exception) -> EmbeddedNeo4jError:
    where = "the mirror set as repository" if repository else "the central Maven repository"
    return EmbeddedNeo4jError(
        f"Neo4j is not on this machine yet and {jar.coordinate} could not be had from {where}: {_shortened(cause)}. "
        "Either use a Neo4j that is already running (--neo4j URI), or keep everything in memory, "
        "where it is lost at exit (--memory)."
    )


def _shortened(cause: Exception, limit: int = 200) -> str:
    """An error on one line of about `limit` characters, without the user and password that a URL in it may have."""
    text = re.sub(r"//[^/@\s]*@", "//", " ".join(str(cause).split()))
    return f"{type(cause).__name__}: {text if len(text) <= limit else text[:limit] + '...'}"
