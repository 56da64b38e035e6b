"""Shows the steps of a start: a live line on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_INTERVAL = 5.0  # seconds between two plain lines of one step
WORTH_A_LINE = 2.0  # seconds; a shorter step leaves no line behind


@dataclass(frozen=True, slots=True)
class Step:
    """Where one step of a start stands. `done` counts up to `total`, or seconds when there is no total."""

    name: str
    done: int = 0
    total: int | None = None
    finished: bool = False


def silent(step: Step) -> None:
    """Show nothing."""


class StepReporter:
    """Give `report` to EmbeddedNeo4j as its `progress`; use as a context manager, or call `close` at the end.

    May be called from any thread. Writes to `stream` (stderr by default), so that stdout stays clean.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._guard = threading.Lock()
        self._began: dict[str, float] = {}
        self._spoke: dict[str, float] = {}
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> StepReporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def report(self, step: Step) -> None:
        """Show this state of a step."""
        with self._guard:
            now = self._clock()
            began = self._began.setdefault(step.name, now)
            if self._stream.isatty():
                self._show_live(step, now - began)
            else:
                self._show_plain(step, now, now - began)
            if step.finished:
                self._began.pop(step.name, None)
                self._spoke.pop(step.name, None)

    def close(self) -> None:
        """End the live line, if there is one. Reporting may go on afterwards (a restart, for instance)."""
        with self._guard:
            self._end_live()

    def _show_plain(self, step: Step, now: float, elapsed: float) -> None:
        if step.finished:
            if step.name in self._spoke or elapsed >= WORTH_A_LINE:
                self._say(f"{step.name}: done in {elapsed:.0f} s")
        elif elapsed >= WORTH_A_LINE and now - self._spoke.get(step.name, -PLAIN_INTERVAL) >= PLAIN_INTERVAL:
            self._spoke[step.name] = now
            self._say(f"{step.name}: {f'{step.done} of {step.total}' if step.total else f'{elapsed:.0f} s so far'}")

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def _show_live(self, step: Step, elapsed: float) -> None:
        live = self._live or self._begin_live()
        task = self._tasks.get(step.name)
        if task is None:
            task = self._tasks[step.name] = live.add_task(step.name, total=step.total)
        if step.total:
            live.update(task, completed=step.done, total=step.total)
        if step.finished:
            live.remove_task(self._tasks.pop(step.name))
            if elapsed >= WORTH_A_LINE:
                live.console.print(f"[green]✓[/] {step.name} [dim]{elapsed:.0f} s[/]", highlight=False)
            if not self._tasks:
                self._end_live()

    def _begin_live(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn())
        self._live = Progress(*columns, TimeElapsedColumn(), console=Console(file=self._stream), transient=True)
        self._live.start()
        return self._live

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._tasks.clear()
