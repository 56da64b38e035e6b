"""A progress bar for long transfers."""

from __future__ import annotations

from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from semp.cli.terminal import err


def bar(*, in_bytes: bool = False) -> Progress:
    """A progress bar on standard error, removed at the end. Nothing is shown when standard error is not a terminal.

    Args:
        in_bytes: whether progress is counted in bytes.
    """
    count = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(24), count, TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
