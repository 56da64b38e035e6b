"""Many small emits in few requests, in the order they were made."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from semp_sdk.errors import Conflict, InvalidEvent, OutboxFull, SempError, ServiceFault, Unavailable
from semp_sdk.events import Emitted
from semp_sdk.pending import wait_for_parents
from semp_sdk.retry import RECONNECTS
from semp_sdk.transport import Transport

log = logging.getLogger("semp_sdk")

T = TypeVar("T")

MOST_EVENTS = 1_000
"""Most events in one request; the service accepts ten times as many."""
MOST_BYTES = 1_000_000
"""Most bytes of events in one request, unless it is a single event; the service accepts 32 times as much."""


class _Count(msgspec.Struct):
    count: int


_read_one = msgspec.json.Decoder(Emitted).decode
_read_many = msgspec.json.Decoder(list[Emitted]).decode
_read_count = msgspec.json.Decoder(_Count).decode
_index = re.compile(r"\[(\d+)\]")


@dataclass(slots=True, eq=False)
class _Pending:
    body: bytes
    deadline: float
    answer: asyncio.Future[Emitted]
    alone: bool = False


class Batcher:
    """Sends events one request at a time. Events emitted during a request go with the next one.

    A single event is not delayed. One request at a time keeps the order, so that a cause is always stored before its effects. When an event
    of a batch is refused, only this event fails, and the others are sent again without it. An event whose parent is still pending in a
    connector of this process waits for that parent.
    """

    def __init__(self, transport: Transport, capacity: int = 10_000) -> None:
        """`capacity`: events that may wait; beyond it `send` waits and `put` refuses."""
        self._transport = transport
        self._capacity = capacity
        self._waiting: deque[_Pending] = deque()
        self._held = 0
        self._room = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def send(self, body: bytes, patience: float) -> Emitted:
        """Send an event (as JSON) and wait for its answer. When cancelled before its request started, it is not sent.

        Raises:
            Unavailable: `patience` seconds have passed; the event may have been stored.
            SempError: it was refused.
        """
        while self._held >= self._capacity:
            self._room.clear()
            await self._room.wait()
        return await self.put(body, patience)

    def put(self, body: bytes, patience: float) -> asyncio.Future[Emitted]:
        """The same, but without waiting for room in the queue.

        Raises:
            OutboxFull: the queue is full.
        """
        if self._held >= self._capacity:
            raise OutboxFull(f"{self._held} events wait to be sent; no more are taken until some of them are")
        loop = asyncio.get_running_loop()
        waiting = _Pending(body, loop.time() + patience, loop.create_future())
        waiting.answer.add_done_callback(self._leave)
        self._held += 1
        self._waiting.append(waiting)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return waiting.answer

    async def close(self) -> None:
        """Stop; pending events fail with `Unavailable`."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        _fail(self._waiting, Unavailable("the client was closed"))
        self._waiting.clear()

    def _leave(self, answer: asyncio.Future[Emitted]) -> None:
        self._held -= 1
        self._room.set()
        if not answer.cancelled():
            answer.exception()  # marks the exception as seen: asyncio would warn when nobody awaits it

    async def _work(self) -> None:
        batch: list[_Pending] = []
        try:
            while batch := self._take():
                await self._deliver(batch)
        except asyncio.CancelledError:
            _fail(batch, Unavailable("the client was closed"))
            raise
        except Exception as error:
            log.exception("events could not be sent")
            _fail(batch, ServiceFault(f"events could not be sent: {error}"))
        finally:
            if self._worker is asyncio.current_task():
                self._worker = asyncio.create_task(self._work()) if self._waiting else None

    def _take(self) -> list[_Pending]:
        batch: list[_Pending] = []
        size = 0
        while self._waiting and len(batch) < MOST_EVENTS:
            size += len(self._waiting[0].body)
            if batch and size > MOST_BYTES:
                break
            waiting = self._waiting.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _deliver(self, batch: list[_Pending]) -> None:
        loop = asyncio.get_running_loop()
        pauses = RECONNECTS.delays()
        while batch:
            now = batch if not batch[0].alone else batch[:1]
            first = min(waiting.deadline for waiting in now)
            bodies = [waiting.body for waiting in now]
            try:
                await wait_for_parents(bodies, first - loop.time())
                answers = await self._post(bodies, first - loop.time())
            except (InvalidEvent, Conflict) as error:
                blamed = _blamed(error, len(now))
                if blamed:
                    for index, found in blamed.items():
                        _fail([now[index]], found)
                else:  # the answer names no event, so they are sent one by one
                    for waiting in now:
                        waiting.alone = True
            except SempError as error:  # no event is to blame: those with time left are tried again
                # Deadlines within a second end together, else each event of a batch would cost one more request.
                horizon = max(first, loop.time() + 1.0) if isinstance(error, Unavailable) else math.inf
                late = [waiting for waiting in now if not math.isinf(waiting.deadline) and waiting.deadline <= horizon]
                _fail(late, error)
                if not late:
                    log.warning("events cannot be sent: %s", error)
                    await asyncio.sleep(next(pauses))
            else:
                for waiting, answer in zip(now, answers, strict=True):
                    if not waiting.answer.done():
                        waiting.answer.set_result(answer)
                batch = batch[len(now) :]
                continue
            batch = [waiting for waiting in batch if not waiting.answer.done()]

    async def _post(self, bodies: list[bytes], patience: float) -> list[Emitted]:
        if len(bodies) == 1:
            answer = await self._transport.request("POST", "/api/events", bodies[0], patience=patience)
        else:
            answer = await self._transport.request("POST", "/api/events/batch", b"[" + b",".join(bodies) + b"]", patience=patience)
        found = [_read(_read_one, answer)] if len(bodies) == 1 else _read(_read_many, answer)
        _same_number(len(bodies), len(found))
        return found


async def store(transport: Transport, bodies: Sequence[bytes], trouble: Callable[[SempError], object]) -> dict[int, SempError]:
    """Store these events in one request, and retry for as long as it takes. Returns the refused events: the error by index.

    `trouble`: called with the error of each failed attempt, except refusals of events.
    """
    refused: dict[int, SempError] = {}
    pauses = RECONNECTS.delays()
    while left := [index for index in range(len(bodies)) if index not in refused]:
        try:
            await _post_all(transport, [bodies[index] for index in left])
            break
        except (InvalidEvent, Conflict) as error:
            blamed = _blamed(error, len(left))
            refused |= {left[at]: own for at, own in blamed.items()}
            if not blamed:  # the answer names no event, so they are sent one by one
                for index in left:
                    if alone := await store(transport, [bodies[index]], trouble):
                        refused[index] = alone[0]
                break
        except SempError as error:
            trouble(error)
            await asyncio.sleep(next(pauses))
    return refused


async def _post_all(transport: Transport, bodies: list[bytes]) -> None:
    body = b"[" + b",".join(bodies) + b"]"
    answer = await transport.request("POST", "/api/events/batch?return=minimal", body, patience=math.inf)
    _same_number(len(bodies), _read(_read_count, answer).count)


def _read(decode: Callable[[bytes], T], answer: bytes) -> T:
    try:
        return decode(answer)
    except msgspec.MsgspecError as error:
        raise ServiceFault(f"the answer is not what the service promises: {error}") from None


def _same_number(sent: int, answered: int) -> None:
    if answered != sent:
        raise ServiceFault(f"{sent} events were sent, {answered} answered")


def _blamed(error: InvalidEvent | Conflict, size: int) -> dict[int, SempError]:
    """The refused events of a batch of this size: an error for each index; empty when the answer names no event."""
    named = [(int(found[1]), field) for field in error.errors if (found := _index.match(field.field))]
    blamed: dict[int, SempError] = {}
    for index in {index for index, _ in named if index < size}:
        own = [msgspec.structs.replace(field, field=_index.sub("", field.field, count=1).lstrip(".")) for at, field in named if at == index]
        text = "; ".join(f"{field.field}: {field.reason}" for field in own)
        blamed[index] = type(error)(f"Validation error: {text}" if isinstance(error, InvalidEvent) else text, own)
    return blamed or ({0: error} if size == 1 else {})


def _fail(batch: Sequence[_Pending] | deque[_Pending], error: SempError) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
