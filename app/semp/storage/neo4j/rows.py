"""Converts rows of the database to values of the domain, and values of the domain to parameters of queries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec

from semp.domain.causes import Cause, Proposal
from semp.domain.credit import Credited
from semp.domain.event_types import effect_of
from semp.domain.events import Event
from semp.domain.scopes import ANY, SEGMENT, Glob
from semp.domain.signals import WHOLE, Key, Move, Rules, Signal
from semp.engine.ledger import kept
from semp.engine.records import Ancestor, ClockShift, Entry, LogState, Moved, Plan

Row = list[Any]

ROWS_AT_ONCE = 500
"""Events of an append whose rows are made between two turns of the event loop: 2 to 5 ms of work."""


def event(row: Row) -> Event:
    """From the first nine columns of a row; all queries that return events begin with these."""
    return Event(row[0], row[1], row[2], row[3], row[4], row[5] or [], row[6], msgspec.Raw(row[7].encode()), row[8])


def entry(row: Row) -> Entry:
    """From a row of read_log."""
    stored = event(row)
    value, alpha = effect_of(stored.type, row[7].encode())
    answers = Proposal(*row[12]) if row[12] else None
    nearest = tuple(Proposal(*proposal) for proposal in row[10])
    credited = tuple(Credited(Proposal(*proposal), share) for *proposal, share in row[13])
    return Entry(stored, row[9], nearest, row[11] or 0, answers, value, alpha, credited=credited)


def cause(row: Row) -> Cause:
    """From a row of causes. The id in its first column is not used."""
    return Cause(row[1], tuple(Proposal(*near) for near in sorted(row[3])), row[2] or 0)


def ancestor(row: Row) -> Ancestor:
    """From a row of ancestry."""
    return Ancestor(Proposal(*row[1:4]) if row[2] else None, row[4] or [], bool(row[2]))


def state(row: Row) -> LogState:
    """From a row of stream_state or lock_stream."""
    return LogState(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4], type=list[Rules]), _shifts(row[6]))


def _shifts(text: str | None) -> list[ClockShift]:
    return msgspec.json.decode(text, type=list[ClockShift]) if text else []


def rules_text(rules: Iterable[Rules]) -> str:
    """The rules as JSON text, as the stream node stores them."""
    return msgspec.json.encode(list(rules)).decode()


def signal(row: Row) -> Signal:
    """From a row of signals."""
    return Signal(*row)


def signal_row(changed: Signal) -> Row:
    """The key of a signal, and the properties that change with every event that moves it."""
    return [changed.scope, changed.pattern, changed.strength, changed.decayed_at, changed.last_updated, changed.position]


def rates(created: Signal) -> Row:
    """The properties of a signal that never change after its creation."""
    return [created.alpha, created.lambda_, created.interval]


def scope_parameters(glob: Glob | None) -> dict[str, str | None]:
    """A glob as the parameters prefix, for an index seek, and pattern, for `=~`, which matches the whole scope. Both None: every scope."""
    if glob is None:
        return {"prefix": None, "pattern": None}
    pattern = r"\.".join(SEGMENT if segment == ANY else segment for segment in glob.segments)  # no other character needs escaping
    more = rf"{SEGMENT}(\.{SEGMENT})*"
    if glob.below:
        pattern = rf"{pattern}\.{more}" if pattern else more
    return {"prefix": glob.prefix, "pattern": pattern}


def pattern_of(globs: Iterable[Glob]) -> str:
    """Globs as one regular expression for `=~` that matches what any of them matches."""
    return "|".join(f"(?:{scope_parameters(glob)['pattern']})" for glob in globs)


class Rows(list[Row]):
    """A parameter of many rows, with a short repr: the driver formats every parameter for its debug log, even if that log is off."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


class Blob(bytes):
    """A parameter of many bytes, with a short repr, for the same reason."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


async def append_parameters(plan: Plan) -> dict[str, Any]:
    """The parameters of append for a plan. Rows are lists, not maps: packing the repeated keys would cost more than the values.

    The rows of many events are made in slices, with turns of the event loop between them.
    """
    events = Rows()
    for begin in range(0, len(plan.entries), ROWS_AT_ONCE):
        if begin:
            await asyncio.sleep(0)
        events += [_event_row(entry) for entry in plan.entries[begin : begin + ROWS_AT_ONCE]]
    return {
        "after": plan.after.tip,
        "tip": plan.tip,
        "head": plan.entries[-1].event.position,
        "timestamp": plan.timestamp,
        "clock_shifts": msgspec.json.encode(plan.shifts).decode() if plan.shifts else None,
        "events": events,
        "signals": Rows([signal_row(changed) for changed in plan.signals.values()]),
        "born": [[*key, *rates(plan.signals[key])] for key in plan.born],
        "scopes": [[path, [parent] if parent else []] for path, parent in plan.scopes.items()],
    }


def _event_row(planned: Entry) -> Row:
    event, answers, credited, moves = planned.event, planned.answers, planned.credited, kept(planned)
    row = [
        event.id, event.position, event.type, event.scope, event.trace_id, event.agent_id, event.timestamp,
        bytes(event.payload).decode(), event.parent_ids or None, planned.action,
        [proposal.position for proposal in planned.nearest] or None, planned.distance or None,
        answers.position if answers is not None else None,
    ]  # fmt: skip
    row += moved(moves[0]) if moves else [None, None, None, None]
    if credited or len(moves) > 1:
        row += [[one.proposal.position for one in credited] or None, [one.share for one in credited] or None, list(map(moved, moves[1:]))]
    return row


def moved(move: Move) -> Row:
    """A move as stored: the signal's key as text, the strengths before and after, and the share; None for the whole share."""
    return [key_text((move.scope, move.pattern)), move.before, move.after, move.share if move.share != WHOLE else None]


def key_text(key: Key) -> str:
    """A signal's key as text, as in the protocol: `scope:pattern`. A scope has no colon, so different keys have different texts."""
    return f"{key[0]}:{key[1]}"


def key_of(text: str) -> Key:
    """The inverse of `key_text`."""
    scope, _, pattern = text.partition(":")
    return scope, pattern


def moved_event(row: Row) -> Moved:
    """From a row of moves or moves_back."""
    return Moved(event(row), row[9], row[10], row[11] if row[11] is not None else WHOLE)
