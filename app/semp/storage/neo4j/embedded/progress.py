"""Shows the steps of a start: a progress bar on a terminal, a line of text every few seconds elsewhere."""

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

PLAIN_INTERVAL = 5.0  # seconds between two lines of text about one step
WORTH_A_LINE = 2.0  # seconds; a shorter step prints no line


@dataclass(frozen=True, slots=True)
class Step:
    """The progress of one step of a start. `done` counts up to `total`; without a total, it is the seconds so far."""

    name: str
    done: int = 0
    total: int | None = None
    finished: bool = False


def silent(step: Step) -> None:
    """Ignore the progress of a step."""


class StepReporter:
    """Shows steps. Pass `report` to EmbeddedNeo4j as `progress`. Use the reporter as a context manager, or call `close` at the end.

    Safe to call from any thread.

    Args:
        stream: where to write, stderr by default, because stdout is for results.
        clock: gives seconds.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._guard = threading.Lock()
        self._began: dict[str, float] = {}
        self._last_line: dict[str, float] = {}
        """When the last line about a step was written."""
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> StepReporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def report(self, step: Step) -> None:
        """Show the progress of a step."""
        with self._guard:
            now = self._clock()
            began = self._began.setdefault(step.name, now)
            if self._stream.isatty():
                self._show_live(step, now - began)
            else:
                self._show_plain(step, now, now - began)
            if step.finished:
                self._began.pop(step.name, None)
                self._last_line.pop(step.name, None)

    def close(self) -> None:
        """Remove the progress bar, if there is one. `report` may still be called afterwards, for instance for a restart."""
        with self._guard:
            self._end_live()

    def _show_plain(self, step: Step, now: float, elapsed: float) -> None:
        if step.finished:
            if step.name in self._last_line or elapsed >= WORTH_A_LINE:
                self._write_line(f"{step.name}: done in {elapsed:.0f} s")
        elif elapsed >= WORTH_A_LINE and now - self._last_line.get(step.name, -PLAIN_INTERVAL) >= PLAIN_INTERVAL:
            self._last_line[step.name] = now
            self._write_line(f"{step.name}: {f'{step.done} of {step.total}' if step.total else f'{elapsed:.0f} s so far'}")

    def _write_line(self, line: str) -> None:
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
