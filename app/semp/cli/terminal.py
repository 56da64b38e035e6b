"""Output to a terminal. Text from agents is only shown: its control characters are escaped, and it is never read as markup."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_COMMANDS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 (ESC, newline, ...), DEL and C1 (U+009B is CSI)
    "\u2028\u2029"  # separators that some terminals take as a new line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # these change the direction of the text after them
    "\u00ad\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"  # invisible: two different names would look the same
    "\ud800-\udfff]"  # surrogates, which cannot be encoded
)
_WIDE = 1_000_000
"""Width in columns for a pipe or a file, where nothing is wrapped or cut."""


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every control, bidirectional and invisible character replaced by an escape such as `\x1b` or `\u202e`.

    Args:
        lines: whether to keep newlines. Only for text of several lines that this program wrote.
    """
    if lines:
        return "\n".join(visible(line) for line in text.split("\n"))
    return _COMMANDS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def json_line(value: object) -> str:
    """The value as JSON on one line, escaped as by `visible_json`."""
    return visible_json(msgspec.json.encode(value, enc_hook=str))


def visible_json(text: bytes) -> str:
    """JSON in which the characters that `visible` replaces are JSON escapes.

    In compact JSON these characters occur only inside strings, so the JSON still means the same value.
    """
    return _COMMANDS.sub(_json_escaped, text.decode("utf-8", "replace"))


def _json_escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def console(*, stderr: bool = False) -> Console:
    """A console that does not interpret text as markup or emoji."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


out = console()
err = console(stderr=True)


def say(text: str, *, style: str = "", lines: bool = False) -> None:
    """Print a message on standard error.

    Args:
        style: rich style, such as `red`.
        lines: whether the message has several lines; else newlines are escaped.
    """
    with err.capture() as captured:  # otherwise rich prints a line again when Ctrl-C interrupts the writing
        err.print(Text(visible(text, lines=lines), style), soft_wrap=True)
    sys.stderr.write(captured.get())
    sys.stderr.flush()


def cell(text: object, style: str = "") -> Text:
    """Escaped text for a table or a line. All text from agents must go through this. Without room the text is cut, never wrapped."""
    return Text(visible(str(text)), style, no_wrap=True, overflow="ellipsis")


def table(*columns: str, right: Iterable[str] = (), cut: Iterable[str] = (), header: bool = True) -> Table:
    """An empty table without borders. Its rows are never wrapped.

    Args:
        columns: names of the columns.
        right: columns that are aligned to the right, such as numbers.
        cut: columns that are cut on a narrow terminal, such as free text; their values must be `cell`s. Other columns are never cut.
        header: whether to show the names.
    """
    rows = Table(box=None, pad_edge=False, show_header=header, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        justify = "right" if name in right else "left"
        rows.add_column(cell(name, "bold") if header else "", justify=justify, no_wrap=name not in cut, overflow="ellipsis")
    return rows


def show(*parts: RenderableType) -> None:
    """Print each part on standard output. Lines are cut to the width of a terminal; in a pipe or a file they are complete."""
    if out.is_terminal:
        out.print(*parts, sep="\n", no_wrap=True, overflow="ellipsis", crop=True)
        return
    buffer = io.StringIO()
    plain = Console(file=buffer, width=_WIDE, markup=False, emoji=False, highlight=False, color_system=None, force_terminal=False)
    plain.print(*parts, sep="\n", soft_wrap=False)
    write("\n".join(line.rstrip() for line in buffer.getvalue().split("\n")))


def write(text: str) -> None:
    """Write text to standard output and flush, so that the reader of a pipe gets it at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def until_interrupted() -> Generator[None]:
    """Make Ctrl-C end the block without an error. For commands that run until Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        if err.is_terminal:
            err.print()


def when(timestamp: str) -> str:
    """A timestamp for a person: `2025-01-15T10:30:00.123Z` gives `2025-01-15 10:30:00Z`."""
    return f"{timestamp[:10]} {timestamp[11:19]}Z" if len(timestamp) >= 20 else timestamp


def plural(count: int, noun: str) -> str:
    """A count with its noun: `1 event`, `1,200 events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
