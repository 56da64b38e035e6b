"""Plans one append transaction from drafts: which of them are new, their causes, their positions, what they move.

Its only I/O is the look-ups in `look_up`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from semp.domain.causes import MAX_NEAREST, Cause, Proposal, nearest
from semp.domain.clock import to_text
from semp.domain.credit import Credit, Credited, credited
from semp.domain.errors import FieldError, IdConflict, InvalidInput, OutcomeUnknown, QueryTooLarge, SempError, StoreUnavailable
from semp.domain.event_types import TYPES
from semp.domain.events import Draft, Event, new_id, same_content
from semp.domain.scopes import lineage_of
from semp.domain.signals import Key, Move, Signal
from semp.engine.crediting import UNKNOWN, Origin, credit_of, origin_of, proposals_of, search
from semp.engine.footprint import BYTE, EVENT, PARENT, TOGETHER, Footprint
from semp.engine.ledger import Ledger, fold, why_unmoved
from semp.engine.log_clock import LogClock
from semp.engine.ports import EventLog
from semp.engine.records import Ancestor, Entry, LogState, Plan, Thread
from semp.engine.unread import noting_missed, read_by_key

WORK_AT_ONCE = 256
"""Steps of planning one submission between two turns of the event loop: 2 to 10 ms of work."""
DRAFTS_AT_ONCE = 256
"""Drafts of one submission whose causes are collected between two turns of the event loop: up to 5 ms of work."""
CREDITED_IN_A_STEP = 8
"""Proposals that are as much work to credit as a draft without credit is to plan."""

encode = msgspec.json.Encoder().encode


class Recorded(msgspec.Struct, gc=False):
    """The answer to one draft."""

    event: Event
    encoded: bytes
    """The event as JSON."""
    moves: Sequence[Move] = ()
    """What the event moved; empty when the draft is a retry of an event that was stored before."""
    created: bool = True
    """False when the log already held this event with the same content."""
    unmoved: str | None = None
    """Why the event changed no strength, see `semp.engine.ledger.why_unmoved`."""

    @classmethod
    def of(cls, entry: Entry) -> Recorded:
        """The answer for a new entry, whose moves are known."""
        return cls(entry.event, entry.encoded, entry.moves, unmoved=why_unmoved(entry))


class Submission:
    """Drafts that are appended together or not at all, and the future that their sender waits for.

    Args:
        batch: whether errors name the index of a draft.
        sender: whoever relies on it that all it sends is appended in this order; None: nobody does.
    """

    def __init__(self, drafts: Sequence[Draft], batch: bool, sender: object = None) -> None:
        self.drafts = drafts
        self.batch = batch
        self.sender = sender
        self.weight = len(drafts[0].payload) if len(drafts) == 1 else sum([len(draft.payload) for draft in drafts])
        """Length of all payloads, for the bound of the queue."""
        self.size = EVENT * len(drafts) + int(BYTE * self.weight) + PARENT * sum([len(draft.parent_ids) for draft in drafts])
        """Bytes that it takes in the database, estimated without what only planning can tell."""
        self.heavy = False
        """Whether it waits in the lane of heavy submissions, see `semp.engine.append_queue`."""
        self.number = 0
        """Place in the order in which submissions came into the queue."""
        self.answer: asyncio.Future[list[Recorded]] = asyncio.get_running_loop().create_future()
        self.recorded: list[Recorded] = []
        """The answers, set when it is planned."""
        self.refused = False
        """Whether it was answered with an error. Then none of its drafts is appended."""
        self.tried: int | None = None
        """Head of the log before the first attempt that may have been committed, None before such an attempt. Events with its ids at higher
        positions were appended by this submission itself."""
        self.handed_on = False
        """Whether another replica was asked to append it. If its answer is lost, it may still append it later."""

    @property
    def abandoned(self) -> bool:
        """Whether its sender has gone and it was never sent to the database, so that it can be dropped."""
        return self.tried is None and self.answer.cancelled()

    def path(self, index: int, field: str) -> str:
        """The path of a draft's field, for errors."""
        return f"[{index}].{field}" if self.batch else field

    def succeed(self) -> None:
        """Give the answers to the sender, unless it was cancelled."""
        if not self.answer.done():
            self.answer.set_result(self.recorded)

    def fail(self, error: BaseException) -> None:
        """Give an error to the sender, unless it was cancelled."""
        if self.handed_on and isinstance(error, InvalidInput):  # what is missing here may have come when the other replica looks
            ids = ", ".join(draft.id for draft in self.drafts[:3])
            error = OutcomeUnknown(f"the replica that appends went away; what was sent may be stored (id {ids})", 1)
        if not self.answer.done():
            self.answer.set_exception(error)

    def give_up(self) -> None:
        """Tell the sender that the database stayed away: nothing was stored, or that is not known."""
        if self.tried is None:
            self.fail(StoreUnavailable("the database is not available; nothing was stored", retry_after=5))
            return
        ids = ", ".join(draft.id for draft in self.drafts[:3])
        self.fail(OutcomeUnknown(f"the database went away during the commit; what was sent may be stored (id {ids})", 5))


class Planned(msgspec.Struct):
    """A plan, and the submissions that it answers. `plan` is None when nothing is left to append."""

    submissions: list[Submission]
    plan: Plan | None
    left: Sequence[Submission] = ()
    """The submissions that have no room in this transaction, in order. They come next."""


class _Full(Exception):
    """A submission would fit into a transaction of its own, but not into this one, besides what is planned for it already."""


class LookAgain(Exception):
    """Planning needs something that was not looked up and is no longer cached or in flight. Another look-up will find it."""


class Findings(msgspec.Struct):
    """What was looked up for a batch. Nothing in it comes from plans in flight, since these can still fail."""

    head: int
    """Head of the log at the look-up. Something that was absent then is known to be absent only while the head is the same."""
    causes: dict[str, Cause]
    """Of parents that are in the log, by id."""
    newest: dict[Thread, Proposal | None]
    """The newest proposal of each thread, None when the thread has none."""
    looked_up: set[str]
    """Ids that storage was asked for, as parents or as possible retries."""
    stored: dict[str, Recorded]
    """Events in the log with the id of a draft, which may be a retry of it; by id."""
    above: dict[str, Ancestor] = msgspec.field(default_factory=dict[str, Ancestor])
    """Stored events that the searches for credit passed, by id."""
    reached: dict[Origin, list[tuple[str, int]]] = msgspec.field(default_factory=dict[Origin, list[tuple[str, int]]])
    """The proposals that each search found, by id, with their distances in PARENT hops."""


async def look_up(
    submissions: Sequence[Submission], ledger: Ledger, log: EventLog, *, verify: bool, thorough: bool = False, known: Findings | None = None
) -> Findings:
    """Look up what planning needs, in the ledger's caches and in storage. Many drafts are gone through in slices.

    Args:
        known: earlier findings. What never changes is taken from them.
        verify: look up every id that may be stored already, not only those that are in the cache of causes.
        thorough: look up in storage also what plans in flight could answer, because these may land or fail before the planning.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    if (unread := ledger.unread) is not None and unread.missed:
        await read_by_key(ledger, log, unread.missed)
        unread.missed = {key for key in unread.missed if not ledger.knows(key)}
    findings = Findings(ledger.state.head, {}, {}, set(), {})
    if known is not None:
        findings.causes.update(known.causes)
        findings.above = {event_id: event for event_id, event in known.above.items() if event is not UNKNOWN}
    suspects = {
        draft.id: None
        for submission in submissions
        for draft in submission.drafts
        if (verify and (draft.client_id or submission.tried is not None)) or (draft.client_id and (thorough or draft.id in ledger.causes))
    }
    findings.looked_up.update(suspects)
    if suspects:
        stored = await log.events(list(suspects))
        findings.stored = {event_id: Recorded(event, encode(event), created=False) for event_id, event in stored.items()}
    threads: dict[Thread, None] = {}
    parents: dict[str, None] = {}
    for submission in submissions:
        own: set[str] = {draft.id for draft in submission.drafts if draft.id not in findings.stored} if submission.batch else set()
        for number, draft in enumerate(submission.drafts, 1):
            if not number % DRAFTS_AT_ONCE:
                await asyncio.sleep(0)
            for parent in draft.parent_ids:
                if parent in findings.causes:
                    continue
                if (cause := ledger.causes.get(parent)) is not None:
                    findings.causes[parent] = cause
                elif parent not in own and (thorough or ledger.pending(parent) is None):
                    parents[parent] = None
            if draft.action is None:
                thread = draft.trace_id, draft.scope
                if thread in ledger.newest:
                    findings.newest[thread] = ledger.newest[thread]
                elif thorough or not ledger.knows_thread(thread):
                    threads[thread] = None
    findings.looked_up.update(parents)
    if parents:
        causes = await log.causes(list(parents))
        findings.causes.update(causes)
        ledger.remember_causes(causes)
    if threads:
        newest = await log.newest_proposals(list(threads))
        findings.newest.update({thread: newest.get(thread) for thread in threads})
        ledger.remember_newest(threads, newest)
    await _look_above(submissions, ledger, log, findings)
    return findings


async def _look_above(submissions: Sequence[Submission], ledger: Ledger, log: EventLog, findings: Findings) -> None:
    """For drafts that give credit along causes, search for the proposals that it reaches.

    A submission whose search is too large is refused alone.
    """
    default = ledger.rules.credit
    drafts: dict[str, Draft] | None = None

    def find(event_id: str) -> Ancestor | None:
        if (draft := drafts.get(event_id) if drafts else None) is not None:
            return Ancestor(None, draft.parent_ids, draft.type == "proposal")
        entry = ledger.pending(event_id)
        return Ancestor(None, entry.event.parent_ids, entry.event.type == "proposal") if entry is not None else None

    for submission in submissions:
        origins = {origin_of(draft, credit): None for draft in submission.drafts if (credit := credit_of(draft, default))}
        if not origins or submission.refused:
            continue
        if drafts is None:
            drafts = {draft.id: draft for one in submissions for draft in one.drafts if draft.id not in findings.stored}
        try:
            searches = await search(origins, find, findings.above, log)
        except QueryTooLarge as error:
            submission.refused = True
            submission.fail(error)
        else:
            findings.reached.update({origin: one.reached for origin, one in zip(origins, searches, strict=True)})


async def make_plan(submissions: Sequence[Submission], ledger: Ledger, findings: Findings, clock: LogClock) -> Planned:
    """Plan the append of these submissions on top of all plans in flight.

    A submission that cannot be appended is refused alone: its future gets the error, and the plan does without it. When one does not fit
    into the transaction besides those before it, it and all after it are left. A submission of many drafts is planned in slices, with turns
    of the event loop between them.

    Raises:
        LookAgain: the findings do not suffice, or a plan in flight that this one builds on failed meanwhile.
    """
    builder = Builder(ledger, findings, clock)
    accepted: list[Submission] = []
    left: Sequence[Submission] = ()
    for number, submission in enumerate(submissions):
        if submission.refused:
            continue
        try:
            done = 0
            for work in builder.steps(submission):
                done += work
                if done >= WORK_AT_ONCE:
                    done = 0
                    await asyncio.sleep(0)
                    if ledger.expected.tip != builder.state.tip:
                        raise LookAgain
            accepted.append(submission)
        except _Full:
            left = submissions[number:]
            break
        except SempError as error:
            submission.refused = True
            submission.fail(error)
    if builder.missed:
        if ledger.unread is not None:
            ledger.unread.missed |= builder.missed
        raise LookAgain
    return Planned(accepted, builder.plan(), left)


class Builder:
    """Builds one plan, submission by submission. A submission that is refused leaves no trace in it.

    Args:
        bounded: whether the plan must fit into one transaction of the database. One that is never written need not.
    """

    def __init__(self, ledger: Ledger, findings: Findings, clock: LogClock, *, bounded: bool = True) -> None:
        self.bounded = bounded
        self.ledger = ledger
        self.findings = findings
        self.state: LogState = ledger.expected
        self.rules = ledger.rules
        self.credit = self.rules.credit
        self.now = clock.stamp(self.state)
        self.shifts = clock.shifts(self.state, self.state.head + 1)
        self.timestamp = to_text(self.now)
        self.entries: dict[str, Entry] = {}
        self.newest: dict[Thread, Proposal] = {}
        self.proposed = dict[Thread, Proposal]()
        """The newest proposals of the submission that is being added. They move to `newest` once it is accepted."""
        self.signals: dict[Key, Signal] = {}
        self.missed: set[Key] = set()
        """Signals that it needs and that are not read yet, see `semp.engine.unread`. With one of these, the plan is wrong."""
        self._signal = noting_missed(ledger, self.missed)
        self.born: set[Key] = set()
        self.scopes: dict[str, str | None] = {}
        self.size = 0
        """Bytes that the plan takes in the database, see `semp.engine.footprint`."""
        self._credited_last: tuple[tuple[list[str], int, Credit], tuple[Credited, ...]] | None = None
        """What the last draft with credit credits. Drafts of one submission often have the same causes; they share it."""
        self.moves = 0
        """Times that the accepted events move a signal."""
        self.recovered: set[str] = set()
        """Ids of events that an earlier try of this plan's submissions appended. One submission is told that it created the event."""

    def steps(self, submission: Submission) -> Iterator[int]:
        """Add the new drafts of a submission, and set the answers to all of its drafts.

        Each step is the work for one draft. A caller that pauses between steps may only go on while the log is expected to have the tip on
        which this plan builds.

        Yields:
            How much work the step was, 1 for a draft without credit.

        Raises:
            LookAgain: the findings do not suffice.
            _Full: it does not fit besides what was added before.
            InvalidInput: a parent is unknown or cannot be withdrawn, or too many proposals are equally near.
            TooLarge: it does not fit into any transaction.
            IdConflict: an id belongs to an event with other content.
        """
        recorded: list[Recorded | Entry] = []
        fresh: dict[str, Entry] = {}
        recovered: set[str] = set()
        footprint = Footprint(self.signals)
        self.proposed = {}
        for index, draft in enumerate(submission.drafts):
            work = 1
            known = self._known(draft, fresh) if draft.client_id or submission.tried is not None else None
            if known is not None:
                if not same_content(draft, known.event):
                    raise IdConflict(draft.id, index if submission.batch else None)
                in_log = draft.id in self.findings.stored
                own = submission.tried is not None and in_log and known.event.position > submission.tried
                if own and draft.id not in self.recovered:
                    recovered.add(draft.id)
                    recorded.append(msgspec.structs.replace(known, created=True))
                else:
                    recorded.append(Recorded(known.event, known.encoded, created=False))
            else:
                entry = fresh[draft.id] = self._entry(draft, fresh, submission, index)
                recorded.append(entry)
                footprint.add(entry)
                scope = draft.scope
                if scope not in footprint.scopes and scope not in self.scopes and scope not in self.ledger.scopes:
                    footprint.scopes.update(lineage_of(scope))
                if self.bounded:
                    footprint.require_room(len(submission.drafts))
                if draft.type == "proposal":
                    self.proposed[_thread(entry)] = entry.as_proposal()
                work += len(entry.credited) // CREDITED_IN_A_STEP
            yield work
        if self.bounded and self.entries and self.size + footprint.size > TOGETHER:
            raise _Full
        self.size += footprint.size
        self.scopes.update(footprint.scopes)
        for entry in fresh.values():
            self._accept(entry)
            yield 1 + len(entry.moves) // CREDITED_IN_A_STEP
        self.recovered |= recovered
        submission.recorded = [Recorded.of(answer) if isinstance(answer, Entry) else answer for answer in recorded]

    def _known(self, draft: Draft, fresh: dict[str, Entry]) -> Recorded | None:
        entry = fresh.get(draft.id) or self.entries.get(draft.id) or self.ledger.pending(draft.id)
        return Recorded(entry.event, entry.encoded) if entry is not None else self.findings.stored.get(draft.id)

    def _entry(self, draft: Draft, fresh: dict[str, Entry], submission: Submission, index: int) -> Entry:
        near, distance = (), 0
        if draft.parent_ids:
            causes = self._causes(draft, fresh, submission, index)
            if TYPES[draft.type].withdraws:
                _check_withdrawn(draft, causes, submission, index)
            near, distance = nearest(causes)
            if len(near) > MAX_NEAREST:
                reason = f"{len(near)} proposals are equally near among the causes, the limit is {MAX_NEAREST}"
                raise InvalidInput(FieldError(submission.path(index, "parent_ids"), reason))
        position = self.state.head + len(self.entries) + len(fresh) + 1
        event = Event(
            draft.id, draft.type, draft.scope, draft.trace_id, draft.agent_id, draft.parent_ids,
            self.timestamp, msgspec.Raw(draft.payload.encode()), position,
        )  # fmt: skip
        answers = None
        if draft.action is None and not near:
            answers = self._newest((draft.trace_id, draft.scope))
        return Entry(
            event, draft.action, near, distance, answers, draft.value, draft.alpha, encode(event),
            credited=self._credited(draft, fresh, 0 if draft.action is not None else distance),
        )  # fmt: skip

    def _credited(self, draft: Draft, fresh: dict[str, Entry], beyond: int) -> tuple[Credited, ...]:
        credit = credit_of(draft, self.credit)
        if credit is None:
            return ()
        if self._credited_last is not None and self._credited_last[0] == (draft.parent_ids, beyond, credit):
            return self._credited_last[1]
        origin, above = origin_of(draft, credit), self.findings.above
        if origin not in self.findings.reached or any(above.get(parent) is UNKNOWN for parent in draft.parent_ids):
            raise LookAgain  # a parent that was unknown at the search has a cause by now

        def proposal(event_id: str) -> Proposal | None:
            entry = fresh.get(event_id) or self.entries.get(event_id) or self.ledger.pending(event_id)
            if entry is not None:
                return entry.as_proposal()
            stored = above.get(event_id)
            return stored.proposal if stored is not None else None

        reached = proposals_of(self.findings.reached[origin], proposal)
        if reached is None:
            raise LookAgain
        found = credited(reached.items(), beyond, credit)
        self._credited_last = (draft.parent_ids, beyond, credit), found
        return found

    def _causes(self, draft: Draft, fresh: dict[str, Entry], submission: Submission, index: int) -> list[Cause]:
        causes: list[Cause] = []
        missing: list[str] = []
        for parent in draft.parent_ids:
            entry = fresh.get(parent) or self.entries.get(parent)
            cause = entry.cause if entry is not None else self.findings.causes.get(parent) or self.ledger.cause(parent)
            if cause is None:
                missing.append(parent)
            else:
                causes.append(cause)
        if missing:
            later = {draft.id for draft in submission.drafts[index:]} if submission.batch else set[str]()
            if self._stale or not self.findings.looked_up.issuperset(missing):
                raise LookAgain
            raise InvalidInput(
                *(
                    FieldError(
                        submission.path(index, f"parent_ids[{draft.parent_ids.index(parent)}]"),
                        f"{parent} comes later in the batch; causes come first" if parent in later else f"no event has the id {parent}",
                    )
                    for parent in missing
                )
            )
        return causes

    @property
    def _stale(self) -> bool:
        """Whether events were committed since the look-up."""
        return self.ledger.state.head != self.findings.head

    def _newest(self, thread: Thread) -> Proposal | None:
        proposal = self.proposed.get(thread) or self.newest.get(thread) or self.ledger.pending_proposal(thread)
        if proposal is None:
            if thread in self.ledger.newest:
                return self.ledger.newest[thread]
            if self._stale or thread not in self.findings.newest:
                raise LookAgain
            proposal = self.findings.newest[thread]
        return proposal

    def _accept(self, entry: Entry) -> None:
        self.entries[entry.event.id] = entry
        entry.moves = fold(entry, self._signal, self.signals, self.now, self.rules)
        self.moves += len(entry.moves)
        self.born.update([(move.scope, move.pattern) for move in entry.moves if not move.before])
        if entry.event.type == "proposal":
            self.newest[_thread(entry)] = entry.as_proposal()

    def plan(self) -> Plan | None:
        """The plan, None when there is nothing to append."""
        if not self.entries:
            return None
        return Plan(
            self.state, new_id(), list(self.entries.values()), self.signals, self.born, self.scopes, self.now, self.shifts, self.size
        )


def _check_withdrawn(draft: Draft, causes: Sequence[Cause], submission: Submission, index: int) -> None:
    """Refuse parents that are not proposals. Only a proposal has nearest proposals at distance 0: itself."""
    wrong = [number for number, cause in enumerate(causes) if not cause.nearest or cause.distance]
    if wrong:
        reason = f"is no proposal; the parents of a {draft.type} are the proposals it withdraws"
        raise InvalidInput(
            *[FieldError(submission.path(index, f"parent_ids[{number}]"), f"{draft.parent_ids[number]} {reason}") for number in wrong]
        )


def _thread(entry: Entry) -> Thread:
    return entry.event.trace_id, entry.event.scope
