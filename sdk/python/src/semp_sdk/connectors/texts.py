"""What frameworks call things, as the service takes it."""

from __future__ import annotations

import json
import re

LONGEST_NAME = 200
"""Characters of an agent's, action's or scope's name, at most; the service takes a few more."""
LONGEST_TEXT = 2_000
"""Characters of a text in a payload, at most."""
REASON = 1_000
"""Characters of an exception's text, at most."""
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")


def scope_of(*names: str) -> str:
    """A scope of these names, one segment each: `scope_of("crew", "Senior Researcher")` is `crew.Senior-Researcher`.

    A name that has nothing a segment may hold is left out; dots in the first one stay what they are.
    """
    segments = [segment for name in names[:1] for segment in name.split(".")] + list(names[1:])
    found = [_FOREIGN.sub("-", segment).strip("-") for segment in segments]
    return ".".join(filter(None, found))[:LONGEST_NAME].rstrip(".") or "run"


def name_of(text: str, otherwise: str) -> str:
    """The text as an agent's or action's name."""
    return text.strip()[:LONGEST_NAME] or otherwise


def excerpt(value: object, limit: int = LONGEST_TEXT) -> str:
    """A text for any value, cut where it is too long. Never raises."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def reason_of(error: BaseException) -> str:
    """An exception's type and text, cut. Never raises."""
    try:
        return excerpt(f"{type(error).__name__}: {error}", REASON)
    except Exception:
        return type(error).__name__
