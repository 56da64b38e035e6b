"""`semp verify`: compares the stored signals, and the snapshots of them, with a replay of the log."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter, validators

from semp.cli.logs import configure_logging
from semp.cli.progress import bar
from semp.cli.terminal import cell, plural, say, show
from semp.domain.errors import SempError
from semp.domain.signals import Key, Signal
from semp.engine.ports import Storage
from semp.engine.replay import Part, verify_parts
from semp.engine.replay import repair as overwrite
from semp.settings import DatabaseSettings

_First = Annotated[int, Parameter(name="--from", validator=validators.Number(gte=1, lte=2**62))]
_Last = Annotated[int | None, Parameter(name="--to", validator=validators.Number(gte=1, lte=2**62))]


def verify(
    *,
    database: DatabaseSettings | None = None,
    first: _First = 1,
    last: _Last = None,
    repair: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Replay the log and compare it with the stored signals, and with each snapshot of them. Exits 1 when they differ.

    Each part of the log ends at a snapshot, so a difference names the part in which it arose. Ctrl-C says where to go on with --from.

    Args:
        first: Position to begin at. The replay starts at the last snapshot before it, and trusts that one.
        last: Position to end at. The replay ends at the first snapshot from there on. The stored signals are compared only when it
            reaches the end of the log.
        repair: Overwrite the stored signals and snapshots that differ with the replayed ones. Needs the whole log. No service may use this
            database meanwhile.
    """
    from semp.main import database as connect
    from semp.storage.neo4j.embedded import StepReporter

    if repair and (first > 1 or last is not None):
        raise SempError("--repair replays the whole log: leave out --from and --to")
    configure_logging("warning")
    check = _Check(repair)

    async def run() -> None:
        with StepReporter() as reporter:
            async with connect(database or DatabaseSettings(), reporter.report, alone=repair) as store:
                await check.run(store, first, last)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        if check.reached:
            say(f"interrupted; what was compared so far: positions up to {check.reached}. Go on with --from {check.reached + 1}")
        raise
    check.finish()


class _Check:
    """A run of the command: prints what differs, and counts it."""

    def __init__(self, repair: bool) -> None:
        self.repair = repair
        self.events = 0
        self.reached = 0
        """Position up to which everything was compared."""
        self.snapshots = 0
        self.found = 0
        self._differing: set[Key] = set()
        """Signals that differed at the end of the last part. A signal that goes on differing is not shown again."""

    async def run(self, store: Storage, first: int, last: int | None) -> None:
        head = (await store.state()).head
        if first > max(head, 1):
            raise SempError(f"--from {first} is beyond the end of the log, which is at position {head}")
        with bar() as progress:
            task = progress.add_task("replaying", total=head if last is None else min(head, last))
            async for part in verify_parts(store, lambda position: progress.update(task, completed=position), begin=first, end=last):
                if part.differences:
                    progress.stop()  # otherwise it takes over standard output
                    self._show(part)
                    progress.start()
                if self.repair and part.differences:
                    await overwrite(store, part)
                self._differing = {difference.key for difference in part.differences}
                self.events += part.last - part.after
                self.snapshots += part.snapshot is not None
                self.reached = part.last

    def _show(self, part: Part) -> None:
        place = f" in the snapshot at {part.snapshot.position}, replayed from {part.after + 1}" if part.snapshot else ""
        for difference in part.differences:
            if difference.key not in self._differing or part.snapshot is None:
                name = cell(":".join(difference.key))
                show(name.append(f"{place}: stored {_state(difference.stored)}, the log says {_state(difference.replayed)}"))
        self.found += len(part.differences)

    def finish(self) -> None:
        """Say what was found.

        Raises:
            SystemExit: 1, when something differs and was not repaired.
        """
        if not self.found:
            counts = f"{plural(self.events, 'event')} replayed, {plural(self.snapshots, 'snapshot')} compared"
            say(f"the stored signals are what the log says ({counts})" if self.reached else "the log is empty")
        elif self.repair:
            say(f"{plural(self.found, 'signal')} repaired")
        else:
            raise SystemExit(1)


def _state(signal: Signal | None) -> str:
    return "nothing" if signal is None else f"{signal.strength!r} at position {signal.position}"
