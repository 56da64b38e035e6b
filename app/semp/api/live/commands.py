"""The commands that a WebSocket client of version 1 may send. Each is answered with an ack or an error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from semp.api.direct import MAX_BODY, decode
from semp.api.errors import describe
from semp.api.live.frames import message, text_frame
from semp.api.live.query import FollowRequest, interest_in
from semp.api.live.subscriber import Subscriber
from semp.api.routes.events import recorded_json
from semp.domain.errors import FieldError, InvalidInput, SempError, TooLarge
from semp.domain.events import MAX_NAME, NewEvent, draft
from semp.engine.planning import Recorded

log = logging.getLogger(__name__)

PIPELINED = 1_000
"""Maximum number of publishes of one connection that wait for their commit. At this limit nothing more is read from the connection."""
TURN = 16
"""Commands of one connection that are carried out before others get their turn."""
SUBSCRIBES_AT_ONCE = 20
"""Subscribes of one connection that are carried out at once."""
SUBSCRIBE_INTERVAL = 0.1
"""Seconds until one more is carried out. Each costs up to 3 ms, for 100 globs of many segments, and may start to read the log."""

Ref = str | int | None


class Command(msgspec.Struct):
    """A command as the client sends it. The answer carries the same `ref`."""

    type: Literal["publish", "subscribe", "unsubscribe", "ping"]
    ref: Ref = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    filter: dict[str, str | list[str]] = {}
    after: int | None = None
    epoch: str | None = None


class _WithRef(msgspec.Struct):
    ref: Any = None


_read_command = msgspec.json.Decoder(Command).decode
_read_with_ref = msgspec.json.Decoder(_WithRef).decode
_read_event = msgspec.json.Decoder(NewEvent).decode
_encode = msgspec.json.Encoder().encode


class Pace:
    """Spreads the subscribes of a connection over time."""

    def __init__(self) -> None:
        self._free_at = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds that a subscribe of now has to wait, which is then counted as carried out.

        Args:
            now: any clock in seconds that does not run backwards.
        """
        self._free_at = max(self._free_at, now - SUBSCRIBES_AT_ONCE * SUBSCRIBE_INTERVAL) + SUBSCRIBE_INTERVAL
        return max(0.0, self._free_at - now)


class Commands:
    """Carries out one connection's commands, in the order they arrive."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.gate = subscriber.gate
        self._slots = asyncio.Semaphore(PIPELINED)
        self._pace = Pace()
        self._taken = 0

    async def handle(self, text: str) -> None:
        """Carry out a command. An invalid or refused command is answered with an error message; no SempError is raised.

        Waits while the connection has no room, while PIPELINED publishes wait for their commit, and before a subscribe that is one too many
        at a time. The commands after it wait too.
        """
        self._taken += 1
        if self._taken % TURN == 0:
            await asyncio.sleep(0)  # many commands arrive in one packet, and taking them from the queue does not wait
        await self.subscriber.wire.writable.wait()  # so that acks do not pile up for a client that does not read
        ref = _ref(text)
        try:
            body = text.encode()
            if len(body) > MAX_BODY:
                raise TooLarge(FieldError("", f"{len(body)} bytes, the limit is {MAX_BODY}"))
            command = decode(_read_command, body)
            match command.type:
                case "publish":
                    await self._publish(command)
                case "subscribe":
                    await self._subscribe(command)
                case "unsubscribe":
                    self.subscriber.stop()
                    self._ack(command.ref, self.subscriber.position)
                case "ping":
                    self._ack(command.ref, self.subscriber.position)
        except SempError as error:
            self._refuse(ref, error)

    async def _publish(self, command: Command) -> None:
        new = decode(_read_event, bytes(command.data))
        await self._slots.acquire()
        try:
            commit = self.gate.submit([draft(new)], sender=self)
        except BaseException:
            self._slots.release()
            raise
        commit.add_done_callback(lambda done: self._published(command.ref, done))

    def _published(self, ref: Ref, done: asyncio.Future[list[Recorded]]) -> None:
        self._slots.release()
        error = done.exception()
        if error is None:
            [recorded] = done.result()
            status = 201 if recorded.created else 200
            fields = b'{"type":"ack","ref":%b,"status":%d,"data":%b}' % (_encode(ref), status, recorded_json(recorded))
            self.subscriber.wire.write(text_frame(fields))
        else:
            self._refuse(ref, error)

    async def _subscribe(self, command: Command) -> None:
        await asyncio.sleep(self._pace.delay(asyncio.get_running_loop().time()))
        await self.gate.pace.turn()  # one subscribe in each turn of the event loop, however many connections there are
        request = FollowRequest(interest=interest_in(command.filter), after=command.after, epoch=command.epoch)
        if request.after is not None and request.after < 0:
            raise InvalidInput(FieldError("after", "expected a position, 0 or more"))
        if request.epoch is not None and len(request.epoch) > MAX_NAME:
            raise InvalidInput(FieldError("epoch", "is not an epoch"))
        follow = await self.subscriber.follow(request)
        self.subscriber.stop()
        self._ack(command.ref, follow.position)
        self.subscriber.start(follow)

    def _ack(self, ref: Ref, position: int) -> None:
        self.subscriber.wire.write(message("ack", ref=ref, position=position))

    def _refuse(self, ref: Ref, error: BaseException) -> None:
        described = describe(error) if isinstance(error, SempError) else None
        if described is None:
            log.error("a WebSocket command failed", exc_info=error)
            self._error(ref, 500, "Internal server error")
        else:
            self._error(ref, described.status, described.message, described.errors, described.retry_after)

    def _error(self, ref: Ref, status: int, text: str, errors: Sequence[FieldError] | None = None, retry_after: int | None = None) -> None:
        optional = {name: value for name, value in (("errors", errors), ("retry_after", retry_after)) if value is not None}
        self.subscriber.wire.write(message("error", ref=ref, status=status, message=text, **optional))


def _ref(text: str) -> Ref:
    """The `ref` of a command, even when the rest of the command is invalid; None when it has no usable one."""
    try:
        ref = _read_with_ref(text).ref
    except (msgspec.MsgspecError, RecursionError):
        return None
    return ref if isinstance(ref, str | int) and len(str(ref)) <= MAX_NAME else None
