"""A reader that keeps its position on disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Literal
from urllib.parse import quote

import msgspec

from semp_sdk.errors import SempError
from semp_sdk.events import Event
from semp_sdk.files import FileLock, replace
from semp_sdk.stream import Stream
from semp_sdk.tracing import caused_by

Start = Literal["beginning", "now"]
Delivery = Literal["at-least-once", "at-most-once"]
EVERY = 100
"""The position is saved after this many events at the latest."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Everything up to `position` of the log named `epoch` was handled."""

    epoch: str
    position: int


def default_directory() -> Path:
    """Where consumers keep their positions: $XDG_STATE_HOME/semp_sdk, which is ~/.local/state/semp_sdk where it is not set."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "semp_sdk"


class Consumer:
    """Continues after every restart where it stopped.

    The position is saved after an event was handled: when all received events are handled, and after `every` events at the latest. After a
    crash the events since then come again (at least once), with the same ids. With `delivery="at-most-once"` the position is saved before
    an event is returned: after a crash one event may be missing, but none comes twice.

    The file is replaced atomically and synced. One process at a time may use a name.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        open_stream: Callable[[int | None, str | None], Stream[Event]],
        *,
        start: Start = "beginning",
        delivery: Delivery = "at-least-once",
        every: int = EVERY,
    ) -> None:
        """`open_stream(after, epoch)` makes the stream that is read."""
        self.name = name
        self.path = directory / f"{quote(name, safe='')}.checkpoint"
        self._open_stream = open_stream
        self._start: Start = start
        self._ahead = delivery == "at-most-once"
        self._every = every
        self._lock: FileLock | None = None
        self._stream: Stream[Event] | None = None
        self._saved: Checkpoint | None = None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The saved position; None before the consumer was opened, or when nothing was saved."""
        return self._saved

    async def __aenter__(self) -> Consumer:
        await self._open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __aiter__(self) -> AsyncGenerator[Event]:
        """The events. An event counts as handled when the next one is requested; if the loop ends before that, it comes again."""
        return self._read()

    async def run(self, handler: Callable[[Event], Awaitable[object]]) -> None:
        """Call the handler with one event after the other, for ever. Events it emits follow from the event it was called with.

        An exception of the handler ends this; the event comes again at the next start, unless delivery is at most once.
        """
        async with self, aclosing(self._read()) as events:
            async for event in events:
                with caused_by(event):
                    await handler(event)

    async def close(self) -> None:
        """Close the stream and release the name. The last returned event does not count as handled. Safe to repeat."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _open(self) -> Stream[Event]:
        if self._stream is not None:
            return self._stream
        self._lock = self._lock or FileLock(self.path.with_suffix(".lock"))
        try:
            self._saved = self._load()
            if self._saved is not None:
                self._stream = self._open_stream(self._saved.position, self._saved.epoch)
            else:
                self._stream = self._open_stream(0 if self._start == "beginning" else None, None)
            await self._stream.connect()
            await self._save(self._stream)
        except BaseException:
            await self.close()
            raise
        return self._stream

    async def _read(self) -> AsyncGenerator[Event]:
        stream = await self._open()
        unsaved = 0
        async for event in stream:
            if self._ahead:
                await self._save(stream)
            yield event
            unsaved += 1
            if not self._ahead and (unsaved >= self._every or not stream.buffered):
                await self._save(stream)
                unsaved = 0

    async def _save(self, stream: Stream[Event]) -> None:
        if stream.epoch is None or stream.position is None:
            return
        reached = Checkpoint(stream.epoch, stream.position)
        if reached != self._saved:
            await asyncio.to_thread(replace, self.path, msgspec.json.encode(reached))
            self._saved = reached

    def _load(self) -> Checkpoint | None:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Checkpoint)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise SempError(f"{self.path} is damaged: {error}; delete it to start anew") from None
