"""The follower's side: one connection to the leader, over which submissions are handed on and entries come back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from semp.engine.environment import Environment
from semp.engine.following import Answer, LeaderLost
from semp.engine.planning import Submission
from semp.relays.handing_on.frames import Answers, Entries, answer_of, entries_of, from_leader, handed, packed
from semp.relays.handing_on.handshake import prove_to_leader

log = logging.getLogger(__name__)

CONNECT_WITHIN = 2.0
"""Seconds within which a connection must be made."""
SILENCE = 2.0
"""Seconds without a frame after which the leader counts as lost. It sends a sign of life every half second."""


class Link:
    """A connection to the leader. Implements `semp.engine.following.Leader`."""

    def __init__(self, environment: Environment, host: str, port: int, secret: bytes) -> None:
        self._committer = environment.committer
        self._host, self._port, self._secret = host, port, secret
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[list[Answer]]] = {}
        self._number = 0

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> str:
        """Connect, and stay connected until the connection breaks or the call is cancelled; returns why it broke.

        Raises:
            OSError, TimeoutError, asyncio.IncompleteReadError, NotAReplica: no connection could be made.
        """
        async with asyncio.timeout(CONNECT_WITHIN):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            await prove_to_leader(reader, writer, self._secret)
            self._writer = writer
            log.info("the replica at %s:%d appends; events are handed on to it", self._host, self._port)
            self._committer.poll_now()  # what came before is read from the log
            return await self._read(reader)
        finally:
            self._writer = None
            writer.transport.abort()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(LeaderLost(sent=True))
            self._waiting.clear()
            self._committer.poll_now()

    async def append(self, submissions: Sequence[Submission]) -> list[Answer]:
        if self._writer is None or self._writer.is_closing():
            raise LeaderLost(sent=False)
        self._number += 1
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = future
        self._writer.write(packed(handed(self._number, submissions)))
        return await future

    async def _read(self, reader: asyncio.StreamReader) -> str:
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    frame = await from_leader(reader)
            except TimeoutError:
                return f"it was silent for {SILENCE:g} s"
            except (OSError, asyncio.IncompleteReadError):
                return "the connection broke"
            except msgspec.DecodeError as error:
                return f"it sent what cannot be read: {error}"
            if isinstance(frame, Entries):
                if frame.state is not None:
                    self._committer.following.take(frame.state, entries_of(frame))
            else:
                self._answer(frame)

    def _answer(self, frame: Answers) -> None:
        future = self._waiting.pop(frame.number, None)
        if future is not None and not future.done():
            future.set_result([answer_of(one) for one in frame.answers])
