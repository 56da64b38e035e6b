"""Text of agents on a terminal: it is shown, and control characters in it have no effect."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from semp.cli.terminal import cell as text_cell
from semp.cli.terminal import json_line, say, show, table, visible, visible_json

HOSTILE = [
    "\x1b]0;title\x07\x1b[2J", "\x9b2J", "\x9d0;title\x9c", "a\rb", "a\nb", "a\x08b", "\x7f", "\x00",
    "\u202egnp.exe", "\u2066\u2069", "\u200f", "a\u200bb", "\ufeff", "\u2028", "\u2029", "\U000e0041", "\ud83d",
]  # fmt: skip
MARKUP = ["[/x]", "[red]x[/red]", "[link=file:///etc]x[/link]", ":smile:", "[", "\\[x]", "{x}", "%s"]
ORDINARY = ["Größe", "日本語", "🐜", "👩‍💻", "नमस्ते", "עברית", "a b", "naïve"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_control_characters_are_shown_as_escapes(text: str) -> None:
    shown = visible(text)
    assert "\\" in shown
    assert shown.isprintable()


@pytest.mark.parametrize("text", [*MARKUP, *ORDINARY])
def test_other_text_is_shown_unchanged(text: str) -> None:
    assert visible(text) == text


def test_no_control_separator_or_half_character_is_left_of_all_of_unicode() -> None:
    for one in map(chr, range(sys.maxunicode + 1)):
        commands = unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs") or unicodedata.bidirectional(one) in _DIRECTIONS
        assert not commands or visible(one) != one, ascii(one)


_DIRECTIONS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def test_line_breaks_are_kept_only_where_asked_for() -> None:
    assert visible("a\nb\x1b", lines=True) == "a\nb\\x1b"


@pytest.mark.parametrize("text", [*[one for one in HOSTILE if one != "\ud83d"], *MARKUP, *ORDINARY], ids=ascii)
def test_json_is_the_same_value_and_harmless(text: str) -> None:
    line = json_line({"action": text, text: [1, None]})
    assert json.loads(line) == {"action": text, text: [1, None]}
    assert visible(line) == line
    assert json.loads(visible_json(json.dumps({"a": text}, ensure_ascii=False).encode())) == {"a": text}


@pytest.mark.parametrize("text", [*HOSTILE, *MARKUP], ids=ascii)
def test_tables_and_messages_show_text_whole_and_as_it_is(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """In a pipe, text is on one line however long it is, and markup in it is shown as text."""
    rows = table("SCOPE", "PATTERN", cut=["PATTERN"])
    rows.add_row("ui", text_cell(text + "x" * 500))
    show(rows)
    say(f"message {text}")
    out, err = capfd.readouterr()
    assert out.splitlines() == ["SCOPE  PATTERN", f"ui     {visible(text)}{'x' * 500}"]
    assert err == f"message {visible(text)}\n"
