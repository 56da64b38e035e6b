"""Clients of several committers that retry, cancel and give up, and checks of the log against what they were answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from semp.domain.errors import OutcomeUnknown, QueueFull, SempError, StoreUnavailable
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.engine.planning import Recorded
from semp.engine.records import Entry
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore

from tests.strategies import Reference, Writer, random_draft, run_skipping, whole_log


class Outcomes:
    """The answers that senders got: by event id."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Recorded] = {}
        self.created: dict[str, int] = {}
        self.refused: set[str] = set()
        self.unknown: set[str] = set()
        self.ids: list[str] = []


async def send(rng: random.Random, writers: list[Writer], number: int, outcomes: Outcomes) -> None:
    """One client: posts a single event or a batch, and retries, cancels or gives up as clients do."""
    await asyncio.sleep(rng.random() * 0.05)
    drafts: list[Draft] = []
    for index in range(rng.choice((1, 1, 1, 1, 3, 40, 90))):
        known = outcomes.ids[-20:] + [draft.id for draft in drafts]
        own = rng.random() < 0.5
        drafts.append(random_draft(rng, number * 100 + index if own else None, known))
    for _ in range(50):
        writer = rng.choice(writers)
        try:
            pending = writer.committer.submit(drafts, batch=len(drafts) > 1)
            if rng.random() < 0.1:
                await asyncio.sleep(rng.random() * 0.02)
                if pending.cancel():
                    outcomes.unknown.update(draft.id for draft in drafts)
                    return
            recorded = await pending
        except (QueueFull, OutcomeUnknown, StoreUnavailable) as error:
            if isinstance(error, OutcomeUnknown):
                outcomes.unknown.update(draft.id for draft in drafts)
                if not all(draft.client_id for draft in drafts):
                    return  # only a client that chose its ids may repeat after this
            await asyncio.sleep(rng.random() * 0.5)
            continue
        except SempError:
            outcomes.refused.update(draft.id for draft in drafts)
            return
        assert [one.event.id for one in recorded] == [draft.id for draft in drafts]
        for one in recorded:
            outcomes.acknowledged[one.event.id] = one
            outcomes.created[one.event.id] = outcomes.created.get(one.event.id, 0) + one.created
            outcomes.ids.append(one.event.id)
        if rng.random() < 0.2 and all(draft.client_id for draft in drafts):
            continue  # a client that lost the answer sends again
        return
    outcomes.unknown.update(draft.id for draft in drafts)


async def check(inner: MemoryStore, outcomes: Outcomes, *, moves: bool = False) -> list[Entry]:
    """Compare the log with what senders were answered, and with the reference implementation; returns the log.

    Args:
        moves: also compare the moves in answers with those that are stored.
    """
    entries = await whole_log(inner)
    there = [entry.event.id for entry in entries]
    assert [entry.event.position for entry in entries] == list(range(1, len(entries) + 1)), "a gap"
    assert len(set(there)) == len(there), "an event is there twice"
    assert outcomes.acknowledged.keys() <= set(there), "an acknowledged event is lost"
    assert set(there) <= outcomes.acknowledged.keys() | outcomes.unknown, "an event is there that was refused"
    assert not (outcomes.refused - outcomes.acknowledged.keys() - outcomes.unknown) & set(there)
    by_id = {entry.event.id: entry for entry in entries}
    for event_id, recorded in outcomes.acknowledged.items():
        assert recorded.event == by_id[event_id].event
    stamps = [entry.event.timestamp for entry in entries]
    assert stamps == sorted(stamps), "time runs backwards"
    assert await verify(inner) == []
    reference = Reference()
    for entry in entries:
        expected = reference.add(entry.event, Rules())
        stored = inner.log[entry.event.position - 1].moves
        assert [(m.scope, m.pattern, m.after) for m in stored] == [(m.scope, m.pattern, pytest.approx(m.after)) for m in expected]
        answer = outcomes.acknowledged.get(entry.event.id)
        if moves and answer is not None and answer.created:
            assert list(answer.moves) == list(stored), "the answer holds other moves than were made"
    return entries


def guarded(work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
    try:
        run_skipping(work())
    except BaseException as error:
        error.add_note(what)
        raise
