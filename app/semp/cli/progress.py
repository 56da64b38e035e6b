"""A progress bar for long transfers."""

from __future__ import annotations

from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from semp.cli.terminal import err


def bar(*, in_bytes: bool = False) -> Progress:
    """A bar on standard error that goes away at the end; where that is no terminal, nothing."""
    counted = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(24), counted, TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
