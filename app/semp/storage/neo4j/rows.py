"""Rows of the database as values of the domain, and back."""

from __future__ import annotations

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
from semp.engine.records import ClockShift, Entry, LogState, Moved, Plan

Row = list[Any]


def event(row: Row) -> Event:
    """From the nine columns every query of events returns, in their order."""
    return Event(row[0], row[1], row[2], row[3], row[4], row[5] or [], row[6], msgspec.Raw(row[7].encode()), row[8])


def entry(row: Row) -> Entry:
    """From a row of read_log."""
    found = event(row)
    value, alpha = effect_of(found.type, row[7].encode())
    answers = Proposal(*row[12]) if row[12] else None
    near = tuple(Proposal(*proposal) for proposal in row[10])
    credited = tuple(Credited(Proposal(*one[:3]), one[3]) for one in row[13])
    return Entry(found, row[9], near, row[11] or 0, answers, value, alpha, credited=credited)


def cause(row: Row) -> Cause:
    """From a row of causes, the id aside."""
    return Cause(row[1], tuple(Proposal(*near) for near in sorted(row[3])), row[2] or 0)


def state(row: Row) -> LogState:
    """From a row of stream_state or lock_stream."""
    return LogState(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4], type=list[Rules]), _shifts(row[6]))


def _shifts(text: str | None) -> list[ClockShift]:
    return msgspec.json.decode(text, type=list[ClockShift]) if text else []


def rules_text(rules: Iterable[Rules]) -> str:
    return msgspec.json.encode(list(rules)).decode()


def signal(row: Row) -> Signal:
    return Signal(*row)


def signal_row(found: Signal) -> Row:
    """What every event that touches a signal changes."""
    return [found.scope, found.pattern, found.strength, found.decayed_at, found.last_updated, found.position]


def rates(found: Signal) -> Row:
    """What a signal is born with and keeps."""
    return [found.alpha, found.lambda_, found.interval]


def scope_parameters(glob: Glob | None) -> dict[str, str | None]:
    """A glob for an index seek and a regular expression (`=~`, of the whole scope); nulls for every scope."""
    if glob is None:
        return {"prefix": None, "pattern": None}
    pattern = r"\.".join(SEGMENT if segment == ANY else segment for segment in glob.segments)  # no other character needs escaping
    more = rf"{SEGMENT}(\.{SEGMENT})*"
    if glob.below:
        pattern = rf"{pattern}\.{more}" if pattern else more
    return {"prefix": glob.prefix, "pattern": pattern}


class Rows(list[Row]):
    """A parameter of many rows. The driver writes every parameter out for its debug log, even when nobody reads that log."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


def append_parameters(plan: Plan) -> dict[str, Any]:
    """A plan as the parameters of append: lists, since packing repeated keys would cost more than the values."""
    return {
        "after": plan.after.tip,
        "tip": plan.tip,
        "head": plan.entries[-1].event.position,
        "timestamp": plan.timestamp,
        "clock_shifts": msgspec.json.encode(plan.shifts).decode() if plan.shifts else None,
        "events": Rows([_event_row(entry) for entry in plan.entries]),
        "signals": Rows([signal_row(changed) for changed in plan.signals.values()]),
        "born": [[*key, *rates(plan.signals[key])] for key in plan.born],
        "scopes": [[path, [parent] if parent else []] for path, parent in plan.scopes.items()],
    }


def _event_row(planned: Entry) -> Row:
    found, answers, credited, moves = planned.event, planned.answers, planned.credited, kept(planned)
    row = [
        found.id, found.position, found.type, found.scope, found.trace_id, found.agent_id, found.timestamp,
        bytes(found.payload).decode(), found.parent_ids or None, planned.action,
        [proposal.position for proposal in planned.nearest] or None, planned.distance or None,
        answers.position if answers is not None else None,
    ]  # fmt: skip
    row += moved(moves[0]) if moves else [None, None, None, None]
    if credited or len(moves) > 1:
        row += [[one.proposal.position for one in credited] or None, [one.share for one in credited] or None, list(map(moved, moves[1:]))]
    return row


def moved(move: Move) -> Row:
    """A move as it is stored: the signal's key as one text, what it was and became, and the share when it is not the whole."""
    return [key_text((move.scope, move.pattern)), move.before, move.after, move.share if move.share != WHOLE else None]


def key_text(key: Key) -> str:
    """A signal's key as the protocol writes it; a scope has no colon, so no two keys share a text."""
    return f"{key[0]}:{key[1]}"


def key_of(text: str) -> Key:
    """The inverse of `key_text`."""
    scope, _, pattern = text.partition(":")
    return scope, pattern


def moved_event(row: Row) -> Moved:
    """From a row of moves or moves_back."""
    return Moved(event(row), row[9], row[10], row[11] if row[11] is not None else WHOLE)
