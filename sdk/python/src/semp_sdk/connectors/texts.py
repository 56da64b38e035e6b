"""Names and texts of frameworks, made fit for the service."""

from __future__ import annotations

import json
import re

LONGEST_NAME = 200
"""Longest name of an agent, action or scope, in characters; the service accepts a few more."""
LONGEST_TEXT = 2_000
"""Longest text in a payload, in characters."""
REASON = 1_000
"""Longest text of an exception, in characters."""
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")


def scope_of(*names: str) -> str:
    """A scope of these names, one segment each: `scope_of("crew", "Senior Researcher")` is `crew.Senior-Researcher`.

    A name without any allowed character is left out. Dots in the first name separate segments, as in any scope.
    """
    segments = [segment for name in names[:1] for segment in name.split(".")] + list(names[1:])
    found = [_FOREIGN.sub("-", segment).strip("-") for segment in segments]
    return ".".join(filter(None, found))[:LONGEST_NAME].rstrip(".") or "run"


def name_of(text: str, otherwise: str) -> str:
    """The text as an agent's or action's name; `otherwise` when it is empty."""
    return text.strip()[:LONGEST_NAME] or otherwise


def excerpt(value: object, limit: int = LONGEST_TEXT) -> str:
    """Any value as text, cut when it is too long. Never raises."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def reason_of(error: BaseException) -> str:
    """An exception's type and text, cut when it is too long. Never raises."""
    try:
        return excerpt(f"{type(error).__name__}: {error}", REASON)
    except Exception:
        return type(error).__name__
