"""Makes starts cheaper: Java's parsed and checked classes, kept in a file that it maps (a CDS archive).

Measured with 2026.08.1: a start costs 18 s of CPU without and 11 s with it. The first run records which classes Neo4j
loads; once it is up, a background process of the lowest priority makes the archive. It is only ever an optimisation:
Java checks it against its own build and every jar, and ignores one that does not fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .processes import guarded
from .runtime import Java

DELAY = 10.0  # seconds after the start, which belong to the first requests
KEPT = 2  # archives of one Neo4j version, 140 MB each; another Java installation needs its own
STOP_GRACE = 2.0  # seconds that the work on an archive has to end
_log = logging.getLogger(__name__)


class ClassArchive:
    """The archive for one Neo4j version, one set of jars and one Java installation, in the shared cache."""

    def __init__(self, cache: Path, version: str, jars: Sequence[Path], java: Java) -> None:
        image = java.executable.resolve().parents[1] / "lib" / "modules"
        marks = [str(jar) for jar in jars]
        with contextlib.suppress(OSError):
            status = image.stat()
            marks.append(f"{image} {status.st_size} {status.st_mtime_ns}")
        self._prefix = f"classes-{version}-"
        self.file = cache / f"{self._prefix}{hashlib.sha256(chr(10).join(marks).encode()).hexdigest()[:16]}.jsa"
        self._java = java

    def arguments(self, recording: Path) -> list[str]:
        """Java arguments that use the archive, or, while there is none, record what it must hold."""
        if self.file.exists():
            return [f"-XX:SharedArchiveFile={self.file}", "-Xshare:auto"]
        return [f"-XX:DumpLoadedClassList={recording}"]

    def discard(self) -> None:
        """Forget the archive: the next start does without, and makes another."""
        self.file.unlink(missing_ok=True)

    async def make(self, argument_file: Path, recording: Path, delay: float = DELAY) -> None:
        """Make the archive from a recording, unless it is there or another process makes it. Failing is only logged.

        May be cancelled at any time: the work is then stopped, and nothing half done is kept.
        """
        if self.file.exists():
            return
        await asyncio.sleep(delay)
        from filelock import FileLock, Timeout

        try:
            with (
                FileLock(self.file.with_suffix(".lock"), timeout=0, thread_local=False),
                tempfile.TemporaryDirectory(prefix="archive-", dir=self.file.parent) as scratch,
            ):
                if not self.file.exists():
                    await self._dump(argument_file, recording, Path(scratch))
        except Timeout:
            return
        except OSError as error:
            _log.info("no class archive was made: %s", error)

    async def _dump(self, argument_file: Path, recording: Path, scratch: Path) -> None:
        draft, classes = scratch / "draft.jsa", scratch / "classes"
        _copy_lines(recording, classes)
        flags = [f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={draft}", "-Xshare:dump"]
        java = ["nice", "-n", "19", str(self._java.executable), f"@{argument_file}", *flags]
        with (scratch / "output").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *guarded(java, STOP_GRACE),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            status = await process.wait()
        finally:
            if process.returncode is None and process.stdin is not None:
                process.stdin.close()
                await process.wait()
        if status == 0 and draft.exists():
            os.replace(draft, self.file)
            self._prune()
        else:
            said = (scratch / "output").read_text(errors="replace").strip().rpartition("\n")[2]
            _log.info("no class archive was made (status %d): %s", status, said)

    def _prune(self) -> None:
        every = sorted(self.file.parent.glob(f"{self._prefix}*.jsa"), key=lambda path: path.stat().st_mtime_ns)
        for old in every[:-KEPT]:
            old.unlink(missing_ok=True)


def _copy_lines(recording: Path, copy: Path) -> None:
    """All whole lines: Java is still writing, and would refuse a list that ends within one."""
    recorded = recording.read_bytes()
    copy.write_bytes(recorded[: recorded.rfind(b"\n") + 1])
