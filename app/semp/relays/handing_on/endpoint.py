"""The leader's side: takes submissions of other replicas, answers them, and sends every follower the new entries of the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from semp.domain.errors import SempError, StoreUnavailable
from semp.engine.environment import Environment
from semp.engine.planning import Recorded
from semp.engine.records import Entry
from semp.relays.handing_on.frames import SIGN_OF_LIFE, Answers, Handed, Refusal, answered, entries_frame, from_follower, packed, refusal
from semp.relays.handing_on.handshake import NotAReplica, prove_to_follower

log = logging.getLogger(__name__)

MAX_UNSENT = 128 * 1024 * 1024
"""Bytes that wait for a follower that does not read them. With more, its connection is closed; it reads the log instead."""

Pending = asyncio.Future[list[Recorded]] | Exception | None


class Endpoint:
    """Listens for other replicas.

    Args:
        environment: must be started.
        secret: what a follower has to know.
        leading: whether this replica holds the append lease. Otherwise it takes nothing.
    """

    def __init__(self, environment: Environment, secret: bytes, leading: Callable[[], bool]) -> None:
        self._environment = environment
        self._secret = secret
        self._leading = leading
        self._followers: set[asyncio.StreamWriter] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; returns the port.

        Raises:
            OSError: the address cannot be used.
        """
        self._server = await asyncio.start_server(self._serve, host, port)
        self._environment.growth.add(self._on_growth)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, answer what was accepted, and close all connections."""
        self._environment.growth.remove(self._on_growth)
        if self._server is not None:
            self._server.close()
        if self._answering:
            await asyncio.wait(self._answering)
        self.disconnect()

    def disconnect(self) -> None:
        """Close the connections of all followers. What they handed on and has no answer yet, they find out from the log."""
        for writer in self._followers:
            writer.close()

    def show_life(self) -> None:
        """Send every follower a sign of life."""
        self._send_all(packed(SIGN_OF_LIFE) if self._followers else b"")

    def _on_growth(self, entries: Sequence[Entry]) -> None:
        if self._followers:
            self._send_all(packed(entries_frame(self._environment.ledger.state, entries)))

    def _send_all(self, data: bytes) -> None:
        for writer in self._followers:
            if writer.transport.get_write_buffer_size() > MAX_UNSENT:
                writer.transport.abort()
            elif not writer.is_closing():
                writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await prove_to_follower(reader, writer, self._secret)
            if not self._leading():
                return
            self._followers.add(writer)
            while True:
                self._take(await from_follower(reader), writer)
        except NotAReplica as error:
            log.warning("a connection from %s was refused: %s", writer.get_extra_info("peername"), error)
        except msgspec.DecodeError as error:
            log.error("a replica sent what cannot be read: %s", error)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # it went away
        finally:
            self._followers.discard(writer)
            writer.close()

    def _take(self, frame: Handed, writer: asyncio.StreamWriter) -> None:
        """Queue the submissions of a frame, and answer them once all are done."""
        pending: list[Pending] = []
        for batch, drafts in frame.submissions:
            for draft in drafts:
                draft.client_id = True  # if the follower loses this connection it appends them by itself, and they must be found
            try:
                taken = self._leading() and not self._environment.committer.closing
                pending.append(self._environment.committer.submit(drafts, batch=batch, sender=writer) if taken else None)
            except StoreUnavailable:
                pending.append(None)
            except SempError as error:
                pending.append(error)
        task = asyncio.create_task(self._answer(frame.number, pending, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, number: int, pending: list[Pending], writer: asyncio.StreamWriter) -> None:
        answers: list[list[int | bytes] | Refusal | None] = []
        for one in pending:
            try:
                if isinstance(one, Exception):
                    raise one
                answers.append(answered(await one) if one is not None else None)
            except Exception as error:
                answers.append(refusal(error))
        if not writer.is_closing():
            writer.write(packed(Answers(number, answers)))
            if None in answers:
                writer.close()  # a later frame of this connection must not overtake what the follower appends by itself now
