"""The log's state and signals in memory, at one position. A projection: it can be rebuilt from the log at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Generic, TypeVar

from semp.domain.causes import Cause, Proposal
from semp.domain.clock import from_text
from semp.domain.errors import StoreUnavailable
from semp.domain.event_types import LOWERING, TYPES
from semp.domain.signals import FADED, Key, Move, Rules, Signal, apply, rules_at
from semp.engine.records import Entry, LogState, Plan, Thread
from semp.engine.signal_map import SignalMap
from semp.engine.unread import Unread

CACHED_CAUSES = 4_096
"""Entries that each cache keeps, at least: causes by event, newest proposals by thread, and known scopes. Others are looked up."""
PATIENCE = 20.0
"""Seconds that a reader of many signals waits until all signals are in memory."""

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A cache of the entries that were set last: it keeps at least the newest `bound` of them, and about twice as many at most.

    It has two generations. When the young one has more than `bound` entries, it becomes the old one, and the old one is dropped.
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
        """Set these entries. All of them, even more than `bound`, stay at least until the next update."""
        self._young.update(entries)
        if len(self._young) > self.bound:
            self._young, self._old = {}, self._young


class Overlay:
    """The changes of a plan that is not committed yet."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.signals = plan.signals
        self.entries = {entry.event.id: entry for entry in plan.entries}
        self.newest: dict[Thread, Proposal] = {
            (entry.event.trace_id, entry.event.scope): entry.as_proposal() for entry in plan.entries if entry.event.type == "proposal"
        }


class Ledger:
    """The log's state, all signals, and caches, at one position. Only the committer changes it, and the sweeper deletes faded signals.

    Args:
        signals: all signals that are stored; None when they are still to be read, see `semp.engine.unread`.
    """

    unread: Unread | None = None
    """Set while signals are missing in memory."""

    def __init__(self, state: LogState, signals: Iterable[Signal] | None) -> None:
        self.restart(state, signals)

    def restart(self, state: LogState, signals: Iterable[Signal] | None) -> None:
        """Drop everything and begin again with this state and these signals."""
        self.all_read()
        self.unread = Unread(state.head) if signals is None else None
        self.state = state
        self.signals = SignalMap(signals or ())
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
        """The state after all plans in flight are committed."""
        return self.overlays[-1].plan.state if self.overlays else self.state

    def signal(self, key: Key) -> Signal | None:
        """The signal's state after all plans in flight are committed. None also for one that is not read yet, see `knows`."""
        for overlay in reversed(self.overlays):
            if (signal := overlay.signals.get(key)) is not None:
                return signal
        return self.signals.get(key)

    def knows(self, key: Key) -> bool:
        """Whether a signal is in memory if it exists."""
        return self.unread is None or key in self.signals or key in self.unread.absent

    def can_absorb(self, entries: Iterable[Entry]) -> bool:
        """Whether all signals that these entries move are known."""
        return self.unread is None or all(self.knows(key) for entry in entries for key, _ in targets(entry))

    def add_read(self, unread: Unread, asked: Iterable[Key], found: Iterable[Signal]) -> None:
        """Take over signals that were read from storage, unless they are known already.

        Args:
            unread: what was read. When it is no longer `self.unread`, nothing is taken over.
            asked: the signals that were looked for. Those that were not found did not exist.
            found: stored states. Those that are newer than `unread.position` are skipped.
        """
        if self.unread is not unread:
            return
        for signal in found:
            unread.newest = max(unread.newest, signal.position)
            if signal.position <= unread.position and not self.knows(signal.key):
                self.signals[signal.key] = signal
        unread.absent.update([key for key in asked if key not in self.signals])

    def all_read(self) -> None:
        """Note that all signals are in memory, or that those that are not are no longer needed."""
        if self.unread is not None:
            self.unread.over.set()
            self.unread = None

    async def complete(self, within: float | None = None) -> None:
        """Wait until all signals are in memory.

        Args:
            within: seconds to wait at most. None: no limit, and no hurry.

        Raises:
            StoreUnavailable: they are not in memory within that time.
        """
        try:
            async with asyncio.timeout(within):
                while self.unread is not None:
                    if within is not None:
                        self.unread.wanted.set()
                    await self.unread.over.wait()
        except TimeoutError as error:
            raise StoreUnavailable("the service has started, and is still reading the signals", retry_after=5) from error

    def cause(self, event_id: str) -> Cause | None:
        """The cause of an event that is cached or in flight; None: it must be looked up in storage."""
        if (cause := self.causes.get(event_id)) is not None:
            return cause
        entry = self.pending(event_id)
        return entry.cause if entry is not None else None

    def pending(self, event_id: str) -> Entry | None:
        """The entry of an event in flight, None when the event is in no plan in flight."""
        return next((entry for overlay in self.overlays if (entry := overlay.entries.get(event_id)) is not None), None)

    def knows_thread(self, thread: Thread) -> bool:
        """Whether its newest proposal is in flight, or cached. The cache also holds threads without a proposal."""
        return thread in self.newest or self.pending_proposal(thread) is not None

    def pending_proposal(self, thread: Thread) -> Proposal | None:
        """The thread's newest proposal among the plans in flight."""
        return next((newest for overlay in reversed(self.overlays) if (newest := overlay.newest.get(thread)) is not None), None)

    def remember_causes(self, causes: dict[str, Cause]) -> None:
        """Cache causes that were looked up. A cause never changes."""
        self.causes.update(causes)

    def remember_newest(self, threads: Iterable[Thread], newest: dict[Thread, Proposal]) -> None:
        """Cache the newest proposals that were looked up, unless a newer one is cached already. Threads that `newest` lacks have none."""
        newer: dict[Thread, Proposal | None] = {}
        for thread in threads:
            cached, stored = self.newest.get(thread), newest.get(thread)
            if cached is None or (stored is not None and stored.position > cached.position):
                newer[thread] = stored
        self.newest.update(newer)

    def commit(self, overlay: Overlay) -> None:
        """Take over a plan that was committed. It must be the oldest plan in flight."""
        assert overlay is self.overlays[0], "plans land in the order they were made"
        del self.overlays[0]
        for key, signal in overlay.signals.items():
            self.signals[key] = signal
        self.causes.update({entry.event.id: entry.cause for entry in overlay.plan.entries})
        self.newest.update(overlay.newest)
        self.scopes.update(dict.fromkeys(overlay.plan.scopes))
        self.state = overlay.plan.state

    def absorb(self, entries: Iterable[Entry]) -> None:
        """Fold entries that were read from the log, in order and without gaps, and fill in their `moves`.

        The signals that they move must be known, see `can_absorb`.
        """
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
    """The signals that an event aims at, each once, with the share (0..1) of its value that reaches them.

    First the signal of its own `action`; without an action, those of its nearest proposals; without these, that of the newest proposal of
    its thread. Then those of the proposals that it credits further up.
    """
    if entry.action is not None:
        first: list[Key] = [(entry.event.scope, entry.action)]
    elif entry.nearest:
        first = [(proposal.scope, proposal.action) for proposal in entry.nearest]
    else:
        first = [(entry.answers.scope, entry.answers.action)] if entry.answers else []
    if not entry.credited:
        return [(key, 1.0) for key in (first if len(first) < 2 else dict.fromkeys(first))]
    shares = dict.fromkeys(first, 1.0)
    for credited in entry.credited:
        shares.setdefault((credited.proposal.scope, credited.proposal.action), credited.share)
    return list(shares.items())


def fold(entry: Entry, signal: Callable[[Key], Signal | None], changed: MutableMapping[Key, Signal], now: int, rules: Rules) -> list[Move]:
    """Fold one entry into the signals that it moves.

    Args:
        signal: gives the state of a signal that is not in `changed`, None when it never existed.
        changed: states that are newer than those of `signal`; the new states are added to it.
        now: the entry's timestamp, milliseconds since 1970.

    Returns:
        What the entry moved.
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
    """Why an entry changed no strength, in words for the sender.

    None when it changed one, or when it is of a type that only touches and it touched one.
    """
    event, effect = entry.event, TYPES[entry.event.type].effect
    if not entry.moves:
        if aimed := targets(entry):
            absent = ", ".join(f"{scope}:{pattern}" for (scope, pattern), _ in aimed[:3])
            return f"no live signal {absent}: a {event.type} lowers what is there"
        missing = "no proposal among its causes, and none" if event.parent_ids else "no payload.action, no parent_ids, and no proposal"
        return f"{missing} in scope {event.scope} of trace {event.trace_id}"
    if effect == "touch" or any(move.before != move.after for move in entry.moves):
        return None
    if not entry.value:
        return "its value is 0"
    if entry.alpha == 0:
        return "alpha is 0"
    if effect == "raise" and entry.moves[0].before < 1:
        return f"its value is too small: a strength below {FADED:g} is 0"
    return "the signal stands at its limit"


def kept(entry: Entry) -> Sequence[Move]:
    """The moves of an entry that are stored with it.

    These are its moves and, for a type that lowers, one move from 0 to 0 for each signal that it aimed at and found absent. That event
    changed nothing, but `semp.engine.what_if` needs it: without another event, the signal might have been there.
    """
    if entry.event.type not in LOWERING:
        return entry.moves
    aimed = targets(entry)
    if len(aimed) == len(entry.moves):
        return entry.moves
    done = {(move.scope, move.pattern): move for move in entry.moves}
    return [done.get(key) or Move(*key, 0.0, 0.0, share) for key, share in aimed]
