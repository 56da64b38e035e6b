"""What the committer and the readers know at a position of the log: a projection, rebuilt from the log at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from semp.domain.causes import Cause, Proposal
from semp.domain.clock import from_text
from semp.domain.event_types import LOWERING, TYPES
from semp.domain.signals import Key, Move, Rules, Signal, apply, live, rules_at
from semp.engine.records import Entry, LogState, Plan, Thread

CACHED_CAUSES = 4_096
"""Newest events whose causes, and threads whose newest proposals, stay in memory at least; others are looked up."""

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The entries set last: at least the newest `bound` of them, at most twice as many; what falls out is looked up in storage again.

    Two generations: when the young one is full it becomes the old one, and what the old one held is forgotten.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.clear()

    def clear(self) -> None:
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def __contains__(self, key: K) -> bool:
        return key in self._young or key in self._old

    def __getitem__(self, key: K) -> V:
        return self._young[key] if key in self._young else self._old[key]

    def get(self, key: K) -> V | None:
        return self._young[key] if key in self._young else self._old.get(key)

    def update(self, entries: Mapping[K, V]) -> None:
        """Set these, all of which stay at least until the next are set."""
        self._young.update(entries)
        if len(self._young) > self.bound:
            self._young, self._old = {}, self._young


class Overlay:
    """What a plan that is not committed yet will change."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.signals = plan.signals
        self.entries = {entry.event.id: entry for entry in plan.entries}
        self.newest: dict[Thread, Proposal] = {
            (entry.event.trace_id, entry.event.scope): entry.as_proposal() for entry in plan.entries if entry.event.type == "proposal"
        }


class Ledger:
    """State, signals and caches at one position. Owned by the committer; others only read."""

    def __init__(self, state: LogState, signals: Iterable[Signal]) -> None:
        self.restart(state, signals)

    def restart(self, state: LogState, signals: Iterable[Signal]) -> None:
        """Forget everything and begin from what storage says."""
        self.state = state
        self.signals: dict[Key, Signal] = {signal.key: signal for signal in signals}
        self.causes: Recent[str, Cause] = Recent(CACHED_CAUSES)
        self.newest: Recent[Thread, Proposal | None] = Recent(CACHED_CAUSES)
        self.scopes: Recent[str, None] = Recent(CACHED_CAUSES)
        self.overlays: list[Overlay] = []

    @property
    def rules(self) -> Rules:
        """The rules in force now."""
        return self.state.rules[-1]

    @property
    def expected(self) -> LogState:
        """The state once every plan that is under way has been committed."""
        return self.overlays[-1].plan.state if self.overlays else self.state

    def live(self, now: int) -> Iterator[tuple[Signal, float]]:
        """Every signal that has not faded at `now`, with its strength then."""
        return live(self.signals.values(), now)

    def signal(self, key: Key) -> Signal | None:
        for overlay in reversed(self.overlays):
            if (found := overlay.signals.get(key)) is not None:
                return found
        return self.signals.get(key)

    def cause(self, event_id: str) -> Cause | None:
        """The cause when it is cached or under way; None says only that it must be looked up."""
        if (found := self.causes.get(event_id)) is not None:
            return found
        entry = self.pending(event_id)
        return entry.cause if entry is not None else None

    def pending(self, event_id: str) -> Entry | None:
        """The entry of a plan that is under way."""
        return next((found for overlay in self.overlays if (found := overlay.entries.get(event_id)) is not None), None)

    def knows_thread(self, thread: Thread) -> bool:
        """Whether its newest proposal is cached, be it none, or under way."""
        return thread in self.newest or self.pending_proposal(thread) is not None

    def pending_proposal(self, thread: Thread) -> Proposal | None:
        """The newest proposal of the plans under way."""
        return next((found for overlay in reversed(self.overlays) if (found := overlay.newest.get(thread)) is not None), None)

    def remember_causes(self, causes: dict[str, Cause]) -> None:
        """Keep what was looked up; a cause never changes."""
        self.causes.update(causes)

    def remember_newest(self, threads: Iterable[Thread], newest: dict[Thread, Proposal]) -> None:
        """Keep what was looked up, unless something newer is known already."""
        newer: dict[Thread, Proposal | None] = {}
        for thread in threads:
            known, found = self.newest.get(thread), newest.get(thread)
            if known is None or (found is not None and found.position > known.position):
                newer[thread] = found
        self.newest.update(newer)

    def commit(self, overlay: Overlay) -> None:
        """Take over a plan that was committed; it must be the oldest one under way."""
        assert overlay is self.overlays[0], "plans land in the order they were made"
        del self.overlays[0]
        self.signals.update(overlay.signals)
        self.causes.update({entry.event.id: entry.cause for entry in overlay.plan.entries})
        self.newest.update(overlay.newest)
        self.scopes.update(dict.fromkeys(overlay.plan.scopes))
        self.state = overlay.plan.state

    def absorb(self, entries: Iterable[Entry]) -> None:
        """Fold entries read from the log, in order, and fill in their moves."""
        for entry in entries:
            event = entry.event
            assert event.position == self.state.head + 1, "the log is read without gaps"
            now = from_text(event.timestamp)
            entry.moves = fold(entry, self.signals.get, self.signals, now, rules_at(self.state.rules, event.position))
            self.causes.update({event.id: entry.cause})
            if event.type == "proposal":
                self.newest.update({(event.trace_id, event.scope): entry.as_proposal()})
            self.state = LogState(self.state.epoch, event.position, self.state.tip, now, self.state.rules, self.state.shifts)


def targets(entry: Entry) -> list[tuple[Key, float]]:
    """The signals an event moves, each once, with the share of its value that reaches them.

    By its own action, else its nearest proposals', else its thread's newest proposal's; then those it credits further up.
    """
    if entry.action is not None:
        first: list[Key] = [(entry.event.scope, entry.action)]
    elif entry.nearest:
        first = [(proposal.scope, proposal.action) for proposal in entry.nearest]
    else:
        first = [(entry.answers.scope, entry.answers.action)] if entry.answers else []
    if not entry.credited:
        return [(key, 1.0) for key in (first if len(first) < 2 else dict.fromkeys(first))]
    found = dict.fromkeys(first, 1.0)
    for credited in entry.credited:
        found.setdefault((credited.proposal.scope, credited.proposal.action), credited.share)
    return list(found.items())


def fold(entry: Entry, signal: Callable[[Key], Signal | None], changed: dict[Key, Signal], now: int, rules: Rules) -> list[Move]:
    """Fold one entry into the signals it moves: read them with `signal`, put the new states in `changed`.

    Args:
        now: the entry's timestamp, milliseconds.
    """
    moves: list[Move] = []
    event = entry.event
    for key, share in targets(entry):
        state, move = apply(
            changed.get(key) or signal(key), key,
            event_type=event.type, value=entry.value, alpha=entry.alpha, now=now, position=event.position, rules=rules, share=share,
        )  # fmt: skip
        if move is not None and state is not None:
            changed[key] = state
            moves.append(move)
    return moves


def why_unmoved(entry: Entry) -> str | None:
    """Why an entry moved no signal, or by nothing though it is there to raise or lower; None when there is nothing to say."""
    event, effect = entry.event, TYPES[entry.event.type].effect
    if not entry.moves:
        if aimed := targets(entry):
            absent = ", ".join(f"{scope}:{pattern}" for (scope, pattern), _ in aimed[:3])
            return f"no live signal {absent}: a {event.type} lowers what is there"
        looked = "no proposal among its causes, and none" if event.parent_ids else "no payload.action, no parent_ids, and no proposal"
        return f"{looked} in scope {event.scope} of trace {event.trace_id}"
    if effect == "touch" or any(move.before != move.after for move in entry.moves):
        return None
    return "its value is 0" if not entry.value else "alpha is 0" if entry.alpha == 0 else "the signal stands at its limit"


def kept(entry: Entry) -> Sequence[Move]:
    """What is stored of an entry's moves: all of them, and for what lowers and found its signal absent, that it came (0 to 0).

    The latter moved nothing, but would have, had another event not been there.
    """
    if entry.event.type not in LOWERING:
        return entry.moves
    aimed = targets(entry)
    if len(aimed) == len(entry.moves):
        return entry.moves
    done = {(move.scope, move.pattern): move for move in entry.moves}
    return [done.get(key) or Move(*key, 0.0, 0.0, share) for key, share in aimed]
