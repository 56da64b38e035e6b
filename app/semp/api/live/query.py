"""What a live client asks for, read from its query or its subscribe command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

import msgspec

from semp.domain.errors import FieldError, InvalidInput
from semp.domain.interests import EVERYTHING, Interest

FILTERS = ("scope", "type", "trace_id", "agent_id")


class FollowRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is delivered, from where on, and how."""

    interest: Interest = EVERYTHING
    after: int | None = None
    """Position to resume after, None for what is committed from now on."""
    epoch: str | None = None
    """The log that position belongs to, None when the client takes whichever there is."""
    version: int = 0
    """1 for a client that wants hello, acks and errors, and may send commands."""
    signals: bool = False
    batch: bool = False


def from_query(query: bytes) -> FollowRequest:
    """Read a query string; parameters it does not know are left alone.

    Raises:
        InvalidInput: names the parameter and the reason.
    """
    try:
        found = parse_qs(query.decode("latin-1"), keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=500)
    except ValueError:
        raise InvalidInput(FieldError("query", "is not UTF-8, or has more than 500 fields")) from None
    after = _last(found, "after")
    return FollowRequest(
        interest=interest_in({name: found.get(name, []) for name in FILTERS}),
        after=position_of(after, "after") if after is not None else None,
        epoch=_last(found, "epoch") or None,
        version=_one_of(found, "v", "1"),
        signals=bool(_one_of(found, "signals", "1")),
        batch=bool(_one_of(found, "batch", "1")),
    )


def interest_in(filters: Mapping[str, Sequence[str] | str]) -> Interest:
    """An interest from values by the name of their filter, one or several each.

    Raises:
        InvalidInput: a filter that does not exist, or a value it cannot have.
    """
    unknown = [FieldError(name, f"is no filter; there are {', '.join(FILTERS)}") for name in filters if name not in FILTERS]
    if unknown:
        raise InvalidInput(*unknown)
    scopes, types, traces, agents = (_several(filters.get(name, ())) for name in FILTERS)
    return Interest.of(scopes, types, traces, agents)


def _several(value: Sequence[str] | str) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _last(found: Mapping[str, list[str]], name: str) -> str | None:
    return found[name][-1] if name in found else None


def _one_of(found: Mapping[str, list[str]], name: str, on: str) -> int:
    value = _last(found, name)
    if value not in (None, "", "0", on):
        raise InvalidInput(FieldError(name, f"expected {on} or 0"))
    return int(value == on)


def position_of(text: str, field: str) -> int:
    """A position sent as text.

    Raises:
        InvalidInput: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(FieldError(field, "expected a position, 0 or more"))
    return int(text)
