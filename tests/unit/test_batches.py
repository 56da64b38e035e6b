"""Large batches are read, planned and made ready for the database a part at a time, so that others have turns of the event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec
import pytest
from semp.api import batches, direct
from semp.api.batches import PART, drafts_of
from semp.api.direct import Held
from semp.domain.errors import InvalidInput, QueueFull, TooLarge
from semp.domain.events import Draft, NewEvent, draft
from semp.domain.signals import Rules
from semp.engine import planning
from semp.engine.footprint import ENVELOPE, LIMIT, PARENT, Footprint
from semp.engine.pace import Pace
from semp.engine.records import Entry, LogState
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.rows import ROWS_AT_ONCE, append_parameters

from tests.scripted_store import Scripted, ids_in
from tests.strategies import Writer, make_id, new_draft, plan_of
from tests.waiting import turns_of

COUNT = 2_000


def body_of(*payloads: str, parents: int = 0) -> bytes:
    events = [
        {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": payload},
         "parent_ids": [make_id(number) for number in range(parents)]}
        for payload in payloads
    ]  # fmt: skip
    return msgspec.json.encode(events)


@pytest.mark.parametrize("lines", [False, True], ids=["array", "lines"])
async def test_a_large_body_is_read_in_parts(lines: bool) -> None:
    body = body_of(*[f"a{number}" for number in range(COUNT)])
    drafts, turns = await turns_of(lambda: drafts_of(body[1:-1].replace(b"},{", b"}\n{") if lines else body, lines, Pace()))
    assert [one.action for one in drafts] == [f"a{number}" for number in range(COUNT)]
    assert turns >= len(body) / (2 * PART)


async def test_a_batch_that_no_transaction_can_hold_is_refused_before_all_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[NewEvent] = []

    def counting(new: NewEvent, where: str = "") -> Draft:
        read.append(new)
        return draft(new, where)

    monkeypatch.setattr(batches, "draft", counting)
    with pytest.raises(TooLarge, match=r"of 8,000 events take more than"):
        await drafts_of(body_of(*["a"] * 8_000, parents=64), False, Pace())
    assert len(read) <= 1 + LIMIT / (64 * PARENT)


async def test_an_error_of_an_event_names_its_index() -> None:
    for wrong, field in ((b'{"type":"x"}', "[1].type"), (b"7", "[1]"), (b'{"type":"\xff"}', "body")):
        with pytest.raises(InvalidInput) as refused:
            await drafts_of(b"%b,%b]" % (body_of("a")[:-1], wrong), False, Pace())
        assert [error.field for error in refused.value.fields] == [field]


async def test_a_draft_is_counted_like_its_event() -> None:
    """So that of a batch that is refused before it is planned, as many events fit as the message says."""
    writer = await Writer.on(MemoryStore())
    await writer.append(new_draft(number=1))
    one = new_draft("test", parents=[make_id(1)], scope="ui.login", text="x" * 100)
    before, after = Footprint(()), Footprint(())
    before.add_draft(one)
    [recorded] = await writer.append(one)
    assert len(recorded.encoded) <= ENVELOPE + 200 + len(one.payload)
    event = recorded.event
    after.add(Entry(event, None, (), 0, None, 0.0, None, recorded.encoded))
    assert 0 <= before.size - after.size <= 60
    await writer.committer.close()


async def test_a_large_batch_is_planned_in_slices() -> None:
    writer = await Writer.on(MemoryStore())
    answers, turns = await turns_of(lambda: writer.append(*[new_draft(action=f"a{number}") for number in range(COUNT)]))
    assert len(answers) == COUNT
    assert turns >= 2 * COUNT / planning.WORK_AT_ONCE
    await writer.committer.close()


async def test_a_batch_is_planned_again_when_the_one_before_it_fails_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its plan would build on what was never appended."""
    monkeypatch.setattr(planning, "WORK_AT_ONCE", 1)
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft(number=0)])
    await store.held.wait()
    second = writer.committer.submit([new_draft(number=number) for number in range(1, 300)], batch=True)
    for _ in range(100):
        await asyncio.sleep(0)
    store.between, store.away = partial(back_again, store), True
    store.release.set()
    await first
    await second
    assert await ids_in(store.inner) == [make_id(number) for number in range(300)]
    assert store.calls.count("turn") == 1, "only the first one took the slow path"
    writer.assert_fed_in_order()
    await writer.committer.close()


async def back_again(store: Scripted) -> None:
    store.away = False


async def test_the_rows_of_a_large_append_are_made_in_slices() -> None:
    plan = plan_of(LogState("e", 0, "tip", 0, [Rules()]), *[new_draft(action=f"a{number}") for number in range(COUNT)])
    parameters, turns = await turns_of(lambda: append_parameters(plan))
    assert len(parameters["events"]) == COUNT
    assert turns >= COUNT / ROWS_AT_ONCE - 1


async def test_bodies_of_all_connections_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MAX_BODIES", 100)
    first, second = Held(), Held()
    first.take(60)
    with pytest.raises(QueueFull):
        second.take(41)
    second.take(40)
    second.release()
    first.take(1_000)  # the only one
    with pytest.raises(QueueFull):
        second.take(1)
    first.release()
    assert Held.all_together == 0


async def test_a_body_in_pieces_is_refused_when_there_is_no_room_and_gives_its_room_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MAX_BODIES", 100)
    worked_on: list[int] = []

    async def respond(incoming: direct.Incoming) -> direct.Answer:
        worked_on.append(Held.all_together)
        return direct.Answer(200, b"")

    route = direct.Direct(None, respond=respond, accepts=frozenset([direct.JSON]), max_body=1_000)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scope: Any = {"headers": [(b"content-type", b"application/json")]}

    async def post(*pieces: bytes) -> None:
        messages = iter(pieces)
        left = len(pieces)

        async def receive() -> Any:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": next(messages), "more_body": left > 0}

        async def send(message: Any) -> None: ...

        await route(scope, receive, send)

    await post(b"x" * 300)
    await post(b"x" * 50, b"y")
    assert worked_on == [0, 50]
    other = Held()
    other.take(60)
    with pytest.raises(QueueFull):
        await post(b"x" * 50, b"y")
    assert Held.all_together == 60
    other.release()
