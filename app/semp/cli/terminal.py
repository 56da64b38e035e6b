"""Text for a terminal. What agents wrote is shown; it never commands the terminal, and is never read as markup."""

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
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # these turn the direction of the text after them
    "\u00ad\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"  # invisible: two different names would look the same
    "\ud800-\udfff]"  # half a character, which no encoding can write
)
_WIDE = 1_000_000
"""Columns of what is no terminal: a pipe or a file, where nothing is wrapped or cut."""


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every control, bidirectional and invisible character as an escape such as `\x1b` or `\u202e`.

    Args:
        lines: keep newlines; for text of several lines that is our own.
    """
    if lines:
        return "\n".join(visible(line) for line in text.split("\n"))
    return _COMMANDS.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def json_line(value: object) -> str:
    """The value as JSON on one line. Characters that `visible` replaces are JSON's own escapes: equal when read, harmless when shown."""
    return visible_json(msgspec.json.encode(value, enc_hook=str))


def visible_json(text: bytes) -> str:
    """JSON with the characters that `visible` replaces as JSON's own escapes. They can stand in texts only, so the value stays the same."""
    return _COMMANDS.sub(_json_escaped, text.decode("utf-8", "replace"))


def _json_escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def console(*, stderr: bool = False) -> Console:
    """A console that takes no text for markup or emoji."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


out = console()
err = console(stderr=True)


def say(text: str, *, style: str = "", lines: bool = False) -> None:
    """A message on standard error: one line, unless it is told that it has several."""
    with err.capture() as held:  # rich would print a line again that Ctrl-C interrupted while it was written
        err.print(Text(visible(text, lines=lines), style), soft_wrap=True)
    sys.stderr.write(held.get())
    sys.stderr.flush()


def cell(text: object, style: str = "") -> Text:
    """A piece of a table or line; text of agents belongs in one of these. Where there is no room it is cut, never wrapped."""
    return Text(visible(str(text)), style, no_wrap=True, overflow="ellipsis")


def table(*columns: str, right: Iterable[str] = (), cut: Iterable[str] = (), header: bool = True) -> Table:
    """An empty table of lines, never wrapped.

    Args:
        columns: their names.
        right: columns of numbers.
        cut: columns of free text, made of `cell`s, which give way on a narrow terminal. The others stay whole.
    """
    made = Table(box=None, pad_edge=False, show_header=header, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        justify = "right" if name in right else "left"
        made.add_column(cell(name, "bold") if header else "", justify=justify, no_wrap=name not in cut, overflow="ellipsis")
    return made


def show(*parts: RenderableType) -> None:
    """Print on standard output: as wide as the terminal, or whole where the output is no terminal."""
    if out.is_terminal:
        out.print(*parts, sep="\n", no_wrap=True, overflow="ellipsis", crop=True)
        return
    held = io.StringIO()
    plain = Console(file=held, width=_WIDE, markup=False, emoji=False, highlight=False, color_system=None, force_terminal=False)
    plain.print(*parts, sep="\n", soft_wrap=False)
    write("\n".join(line.rstrip() for line in held.getvalue().split("\n")))


def write(text: str) -> None:
    """Write text to standard output now, so that a reader of a pipe need not wait for more."""
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def until_interrupted() -> Generator[None]:
    """For what goes on until Ctrl-C: that is how it ends, not how it fails."""
    try:
        yield
    except KeyboardInterrupt:
        if err.is_terminal:
            err.print()


def when(timestamp: str) -> str:
    """`2025-01-15T10:30:00.123Z` as `2025-01-15 10:30:00Z`."""
    return f"{timestamp[:10]} {timestamp[11:19]}Z" if len(timestamp) >= 20 else timestamp


def plural(count: int, noun: str) -> str:
    """`1 event`, `1,200 events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
