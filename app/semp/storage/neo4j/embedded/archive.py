"""Makes starts faster with a CDS archive: a file with the classes of Neo4j, parsed and verified, that Java maps into memory.

Measured with 2026.08.1: a start takes 18 s of processor time without the archive, and 11 s with it. The first run records which classes
Neo4j loads. When Neo4j is ready, a background process of the lowest priority makes the archive. It is only an optimisation: Java compares
it with its own build and with every jar, and ignores an archive that does not match.
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

DELAY = 10.0  # seconds after the start before the work begins, so that it does not slow down the first requests
KEPT = 2  # archives of one Neo4j version, 140 MB each, because each Java installation needs another one
STOP_GRACE = 2.0  # seconds between SIGTERM and SIGKILL when the work is cancelled
_log = logging.getLogger(__name__)


class ClassArchive:
    """The archive for one Neo4j version, one set of jars and one Java installation.

    Args:
        cache: directory of the archive; checkouts share it.
        version: of Neo4j.
        jars: the class path, in order.
        java: the installation.
    """

    def __init__(self, cache: Path, version: str, jars: Sequence[Path], java: Java) -> None:
        image = java.executable.resolve().parents[1] / "lib" / "modules"
        identity = [str(jar) for jar in jars]
        with contextlib.suppress(OSError):
            status = image.stat()
            identity.append(f"{image} {status.st_size} {status.st_mtime_ns}")
        self._prefix = f"classes-{version}-"
        self.file = cache / f"{self._prefix}{hashlib.sha256(chr(10).join(identity).encode()).hexdigest()[:16]}.jsa"
        self._java = java

    def arguments(self, recording: Path) -> list[str]:
        """Arguments with which Java uses the archive; while there is none, arguments with which it records its classes in `recording`."""
        if self.file.exists():
            return [f"-XX:SharedArchiveFile={self.file}", "-Xshare:auto"]
        return [f"-XX:DumpLoadedClassList={recording}"]

    def discard(self) -> None:
        """Delete the archive: the next start runs without one, and makes a new one."""
        self.file.unlink(missing_ok=True)

    async def make(self, argument_file: Path, recording: Path, delay: float = DELAY) -> None:
        """Make the archive from a recording, unless it exists or another process is making it. A failure is only logged.

        Safe to cancel at any time: the work is stopped, and no partial file is kept.

        Args:
            argument_file: the arguments that Java was started with.
            recording: the list of classes that this Java is still writing.
            delay: seconds to wait before the work begins.
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
            message = (scratch / "output").read_text(errors="replace").strip().rpartition("\n")[2]
            _log.info("no class archive was made (status %d): %s", status, message)

    def _prune(self) -> None:
        """Delete all archives of this Neo4j version except the newest KEPT."""
        archives = sorted(self.file.parent.glob(f"{self._prefix}*.jsa"), key=lambda path: path.stat().st_mtime_ns)
        for old in archives[:-KEPT]:
            old.unlink(missing_ok=True)


def _copy_lines(recording: Path, copy: Path) -> None:
    """Copy all complete lines. Java is still writing the recording, and refuses a list whose last line is incomplete."""
    recorded = recording.read_bytes()
    copy.write_bytes(recorded[: recorded.rfind(b"\n") + 1])
