"""What a live client subscribes to, read from the query string of `/ws` or from a `subscribe` command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

import msgspec

from semp.domain.errors import FieldError, InvalidInput
from semp.domain.interests import EVERYTHING, Interest

FILTERS = ("scope", "type", "trace_id", "agent_id")


class FollowRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to deliver, from which position, and in which form."""

    interest: Interest = EVERYTHING
    after: int | None = None
    """Position to resume after; None for events committed from now on."""
    epoch: str | None = None
    """Epoch of the log that `after` belongs to; None when the client accepts any log."""
    version: int = 0
    """1 for a client that may send commands and gets `hello`, `ack` and `error` messages; else 0."""
    signals: bool = False
    """Whether to deliver changes of signals too."""
    batch: bool = False
    """Whether to deliver several events in one message."""


def from_query(query: bytes) -> FollowRequest:
    """Read a query string. Unknown parameters are ignored. Filters may be repeated; of any other parameter the last value counts.

    Raises:
        InvalidInput: names the parameter and the reason.
    """
    try:
        parameters = parse_qs(query.decode("latin-1"), keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=500)
    except ValueError:
        raise InvalidInput(FieldError("query", "is not UTF-8, or has more than 500 fields")) from None
    after = _last(parameters, "after")
    return FollowRequest(
        interest=interest_in({name: parameters.get(name, []) for name in FILTERS}),
        after=position_of(after, "after") if after is not None else None,
        epoch=_last(parameters, "epoch") or None,
        version=_flag(parameters, "v"),
        signals=bool(_flag(parameters, "signals")),
        batch=bool(_flag(parameters, "batch")),
    )


def interest_in(filters: Mapping[str, Sequence[str] | str]) -> Interest:
    """An interest from one or several values for each filter.

    Raises:
        InvalidInput: a filter does not exist, or cannot have a value it was given.
    """
    unknown = [FieldError(name, f"unknown filter; the filters are {', '.join(FILTERS)}") for name in filters if name not in FILTERS]
    if unknown:
        raise InvalidInput(*unknown)
    scopes, types, traces, agents = (_several(filters.get(name, ())) for name in FILTERS)
    return Interest.of(scopes, types, traces, agents)


def _several(value: Sequence[str] | str) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _last(parameters: Mapping[str, list[str]], name: str) -> str | None:
    return parameters[name][-1] if name in parameters else None


def _flag(parameters: Mapping[str, list[str]], name: str) -> int:
    value = _last(parameters, name)
    if value not in (None, "", "0", "1"):
        raise InvalidInput(FieldError(name, "expected 1 or 0"))
    return int(value == "1")


def position_of(text: str, field: str) -> int:
    """Parse a position: 1 to 18 digits.

    Args:
        field: the name of the input, for the error.

    Raises:
        InvalidInput: the text is not a position.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(FieldError(field, "expected a position, 0 or more"))
    return int(text)
