"""What a WebSocket client of version 1 may send, and the ack or error it gets for each."""

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
"""Publishes of one connection that may wait for their commit; nothing more is read from it until one of them is answered."""

Ref = str | int | None


class Command(msgspec.Struct):
    """A frame of the client. `ref` is its own mark for the answer."""

    type: Literal["publish", "subscribe", "unsubscribe", "ping"]
    ref: Ref = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    filter: dict[str, str | list[str]] = {}
    after: int | None = None
    epoch: str | None = None


class _Marked(msgspec.Struct):
    ref: Any = None


_read_command = msgspec.json.Decoder(Command).decode
_read_mark = msgspec.json.Decoder(_Marked).decode
_read_event = msgspec.json.Decoder(NewEvent).decode
_encode = msgspec.json.Encoder().encode


class Commands:
    """Carries out one connection's commands, in the order they came."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.gate = subscriber.gate
        self._slots = asyncio.Semaphore(PIPELINED)

    async def handle(self, text: str) -> None:
        """Carry out a command; whatever is wrong with it is answered, nothing is raised."""
        await self.subscriber.wire.writable.wait()  # acks of a client that reads none must not pile up
        ref = _mark(text)
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
            waiting = self.gate.submit([draft(new)])
        except BaseException:
            self._slots.release()
            raise
        waiting.add_done_callback(lambda done: self._published(command.ref, done))

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
        found = describe(error) if isinstance(error, SempError) else None
        if found is None:
            log.error("a published event failed", exc_info=error)
            self._error(ref, 500, "Internal server error")
        else:
            self._error(ref, found.status, found.message, found.errors, found.retry_after)

    def _error(self, ref: Ref, status: int, text: str, errors: Sequence[FieldError] | None = None, retry_after: int | None = None) -> None:
        optional = {name: value for name, value in (("errors", errors), ("retry_after", retry_after)) if value is not None}
        self.subscriber.wire.write(message("error", ref=ref, status=status, message=text, **optional))


def _mark(text: str) -> Ref:
    """The client's mark, also of a command that cannot be read otherwise."""
    try:
        found = _read_mark(text).ref
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found if isinstance(found, str | int) and len(str(found)) <= MAX_NAME else None
