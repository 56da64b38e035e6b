"""Events on disk until the service has them. They survive a crash of the agent and of the service."""

from __future__ import annotations

import asyncio
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from semp_sdk.errors import Conflict, InvalidEvent, OutboxFull, SempError
from semp_sdk.files import FileLock, replace, sync_directory
from semp_sdk.identifiers import new_id

log = logging.getLogger("semp_sdk")

COMPACT_BEYOND = 1024 * 1024
"""Bytes of sent events after which the file is rewritten without them."""
_MAGIC = b"semp-outbox 1 "


@dataclass(frozen=True, slots=True)
class Parcel:
    """Events read from the outbox, and the file offset after them."""

    bodies: list[bytes]
    end: int


class Outbox:
    """A file with one line per event: a checksum, and the event as JSON with the id it got when it was emitted.

    Beside it are `<name>.sent` (the offset up to which the service has answered), `<name>.rejected` (refused events with the reasons) and
    `<name>.lock`. Sending an event twice is harmless because of its id, so the offset in `.sent` may be too small after a crash; it is
    never too large. A line that a crash left unfinished was never acknowledged and is cut off. Any other damaged line goes to `.rejected`.
    """

    def __init__(self, path: Path, limit: int = 1024 * 1024 * 1024) -> None:
        """`limit`: bytes of unsent events, beyond which `put` refuses."""
        self.path = path
        self.limit = limit
        self._lock: FileLock | None = None
        self._file = -1
        self._header = 0
        self._sent = 0
        self._end = 0
        self._generation = b""
        self._unwritten: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._using = asyncio.Lock()
        self.news = asyncio.Event()
        """Set when an event was added."""

    @property
    def unsent(self) -> int:
        """Bytes of events that the service has not answered yet."""
        return self._end - self._sent

    def open(self) -> None:
        """Take the lock, and read where an earlier process stopped.

        Raises:
            Busy: another process has it.
            SempError: the file is not an outbox.
        """
        self._lock = FileLock(self._beside("lock"))
        try:
            if not self.path.exists():
                replace(self.path, _MAGIC + new_id().encode() + b"\n")
            self._open_file()
            self._cut_tail()
            self._read_mark()
        except BaseException:
            self._close_files()
            raise
        self.news.set()

    async def close(self) -> None:
        """Finish the current write and release the file. Safe to repeat."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        async with self._using:
            self._close_files()

    def put(self, body: bytes) -> asyncio.Future[None]:
        """Append an event. It is on disk when the future is done. Events added at the same time share one write, in this order.

        Raises:
            OutboxFull: more than `limit` bytes are unsent.
            OSError: it could not be written; nothing was added.
        """
        if self.unsent + len(body) > self.limit:
            raise OutboxFull(f"{self.path} holds {self.unsent} bytes that could not be sent yet, the limit is {self.limit}")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unwritten.append((b"%08x %b\n" % (zlib.crc32(body), body), written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return written

    async def next(self, most_events: int, most_bytes: int) -> Parcel | None:
        """The oldest unsent events, at least one; None when there are none. Damaged lines go to `.rejected`."""
        async with self._using:
            return await asyncio.to_thread(self._next, most_events, most_bytes)

    @property
    def empty(self) -> bool:
        """Whether the service has answered every event."""
        return self._writer is None and self._sent == self._end

    async def sent(self, parcel: Parcel, refused: list[tuple[bytes, SempError]]) -> None:
        """Store that the service has answered these events, and which of them it refused."""
        async with self._using:
            await asyncio.to_thread(self._note, parcel, refused)

    async def _write(self) -> None:
        try:
            while self._unwritten:
                async with self._using:
                    taken, self._unwritten = self._unwritten, []
                    try:
                        await asyncio.to_thread(self._append, b"".join(line for line, _ in taken))
                    except OSError as error:
                        for _, written in taken:
                            if not written.done():
                                written.set_exception(
                                    OSError(error.errno, f"the outbox {self.path} could not be written: {error.strerror}")
                                )
                        continue
                for _, written in taken:
                    if not written.done():
                        written.set_result(None)
                self.news.set()
        finally:
            self._writer = None

    def _append(self, lines: bytes) -> None:
        try:
            view = memoryview(lines)
            while view:
                view = view[os.pwrite(self._file, view, self._end + len(lines) - len(view)) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(lines)

    def _next(self, most_events: int, most_bytes: int) -> Parcel | None:
        bodies: list[bytes] = []
        place, size = self._sent, 0
        with self.path.open("rb") as file:
            file.seek(place)
            while place < self._end and len(bodies) < most_events:
                line = file.readline()
                body = line[9:-1]
                if bodies and size + len(body) > most_bytes:
                    break
                place += len(line)
                if _whole(line):
                    bodies.append(body)
                    size += len(body)
                else:
                    log.error("%s: a damaged line before byte %d was put aside in %s", self.path, place, self._beside("rejected").name)
                    self._reject(line, SempError("damaged on disk"))
        if not bodies and place > self._sent:
            self._note(Parcel([], place), [])
        return Parcel(bodies, place) if bodies else None

    def _note(self, parcel: Parcel, refused: list[tuple[bytes, SempError]]) -> None:
        for body, error in refused:
            self._reject(body, error)
        self._sent = parcel.end
        if self._sent - self._header > COMPACT_BEYOND:
            self._compact()
        else:
            replace(self._beside("sent"), b"%b %d\n" % (self._generation, self._sent), sync=False)

    def _compact(self) -> None:
        """Rewrite the file without sent events. A new generation id makes the old offset in `.sent` invalid."""
        rest = os.pread(self._file, self._end - self._sent, self._sent)
        replace(self.path, _MAGIC + new_id().encode() + b"\n" + rest)
        os.close(self._file)
        self._open_file()
        self._sent = self._header

    def _reject(self, line: bytes, error: SempError) -> None:
        try:
            event: object = msgspec.json.decode(line)
        except msgspec.MsgspecError:
            event = line.decode(errors="backslashreplace")
        fields = error.errors if isinstance(error, InvalidEvent | Conflict) else []
        record = msgspec.json.encode({"error": type(error).__name__, "message": str(error), "errors": fields, "event": event})
        with self._beside("rejected").open("ab") as file:
            file.write(record + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_directory(self.path.parent)

    def _open_file(self) -> None:
        self._file = os.open(self.path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        head = os.pread(self._file, len(_MAGIC) + 37, 0)
        if not (head.startswith(_MAGIC) and head.endswith(b"\n")):
            raise SempError(f"{self.path} is no outbox of semp_sdk")
        self._generation = head[len(_MAGIC) : -1]
        self._header = len(head)
        self._end = os.fstat(self._file).st_size

    def _cut_tail(self) -> None:
        """Cut off the bytes after the last line break: an unfinished write, which was never acknowledged."""
        end = self._end
        while end > self._header:
            start = max(self._header, end - 65_536)
            found = os.pread(self._file, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end != self._end:
            log.warning("%s: %d bytes of an unfinished write were cut off", self.path, self._end - end)
            os.ftruncate(self._file, end)
            os.fsync(self._file)
            self._end = end

    def _read_mark(self) -> None:
        self._sent = self._header
        try:
            generation, place = self._beside("sent").read_bytes().split()
            if generation == self._generation and self._header <= int(place) <= self._end:
                self._sent = int(place)
        except (OSError, ValueError):
            return  # missing or damaged: sent events are sent again, which is harmless

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{name}")

    def _close_files(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _whole(line: bytes) -> bool:
    try:
        return line[8:9] == b" " and line.endswith(b"\n") and int(line[:8], 16) == zlib.crc32(line[9:-1])
    except ValueError:
        return False
