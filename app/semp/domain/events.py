"""Events: what a client sends, what the log stores, and the checks between the two."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
import uuid_utils

from semp.domain.credit import Credit
from semp.domain.errors import FieldError, InvalidInput, TooLarge
from semp.domain.event_types import CREDITING, TYPES, EventType, demands
from semp.domain.scopes import MAX_SCOPE, SCOPE_PATTERN
from semp.domain.validation import field_error

MAX_PAYLOAD = 256 * 1024
"""Bytes of a payload as compact JSON, at most."""
MAX_PARENTS = 64
MAX_NAME = 256
"""Characters of a trace_id or agent_id, at most."""
MAX_NESTING = 128
"""Levels of nested arrays and objects in a payload, at most; the payload itself is the first."""

_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Id = Annotated[
    str,
    msgspec.Meta(pattern=_UUID, max_length=36, description="A UUID.", examples=["0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10"]),
]
Scope = Annotated[
    str,
    msgspec.Meta(
        pattern=SCOPE_PATTERN + r"(?!\n)",  # Python's $ also matches before a final newline
        max_length=MAX_SCOPE,
        description="Dotted path of `[A-Za-z0-9_-]` segments.",
        examples=["ui.login"],
        extra_json_schema={"pattern": SCOPE_PATTERN},
    ),
]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]


class NewEvent(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """An event as a client sends it.

    `position`, `timestamp`, `signals` and `moved` are set by the server. They are accepted and ignored, so that an exported or answered
    event can be sent again as it is. Any other unknown field is refused: a misspelt `parent_ids` must not lose a cause without an error.
    """

    type: Annotated[EventType, msgspec.Meta(description="What the agent did.", examples=["proposal"])]
    scope: Scope
    trace_id: Annotated[Name, msgspec.Meta(description="The piece of work this belongs to.", examples=["checkout-42"])]
    agent_id: Annotated[Name, msgspec.Meta(description="The agent that did it.", examples=["designer"])]
    payload: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description=f"At most 256 KiB. {demands()}. A {' or '.join(CREDITING)} with `credit`, an object of `discount` 0..1 and "
            "`max_depth`, also reaches proposals further up. Other keys are stored as they are.",
            examples=[{"action": "improve_ux"}],
        ),
    ]
    parent_ids: Annotated[list[Id] | None, msgspec.Meta(description="The events that caused this one, at most 64; repeats count once.")] = (
        None
    )
    id: Annotated[Id | None, msgspec.Meta(description="The client's own UUID; makes a retry safe. Generated when absent.")] = None
    position: Annotated[Any, msgspec.Meta(description="Ignored: set by the server.")] = msgspec.UNSET
    timestamp: Annotated[Any, msgspec.Meta(description="Ignored: set by the server.")] = msgspec.UNSET
    signals: Annotated[Any, msgspec.Meta(description="Ignored: set by the server.")] = msgspec.UNSET
    moved: Annotated[Any, msgspec.Meta(description="Ignored: set by the server.")] = msgspec.UNSET


class Draft(msgspec.Struct, gc=False):
    """A checked event that is not in the log yet: it has an id, but no position and no timestamp."""

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    payload: str
    """Compact JSON text of an object."""
    action: str | None = None
    """`payload.action`; None when it is missing, or when the type ignores it."""
    value: float = 0.0
    """How much it raises or lowers signals, 0..1."""
    alpha: float | None = None
    """Amplification that the payload of a reward gives, if any."""
    client_id: bool = False
    """Whether the client chose the id. Only then can the draft be a retry."""
    credit: Credit | None = None
    """`payload.credit` of a reward or penalty, if any."""


class Event(msgspec.Struct, gc=False):
    """An event as the log stores it and as answers show it."""

    id: Id
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[Id]
    timestamp: Annotated[
        str, msgspec.Meta(description="Server time, UTC; never runs backwards as positions grow.", examples=["2025-01-15T10:30:00.000Z"])
    ]
    payload: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object", "examples": [{"action": "improve_ux"}]})]
    position: Annotated[int, msgspec.Meta(ge=1, description="Place in the log: 1, 2, 3, ... without gaps, in commit order.")]


_encode = msgspec.json.Encoder().encode


def new_id() -> str:
    """A time-ordered UUID (version 7, RFC 9562): a new id goes to the end of an index, where an insert costs least."""
    return str(uuid_utils.uuid7())


def draft(new: NewEvent, where: str = "") -> Draft:
    """Check an event against the rules of its type and make it ready for the log.

    Args:
        where: prefix for the field names in errors, such as `[3].` in a batch.

    Raises:
        InvalidInput: a payload field is missing, of the wrong type or out of range; the payload is nested too deeply; there are too
            many parents; the event is its own parent; or a cancel has no parents.
        TooLarge: the payload has more than MAX_PAYLOAD bytes.
    """
    rule = TYPES[new.type]
    try:
        fields = msgspec.convert(new.payload, rule.payload)
    except msgspec.ValidationError as error:
        raise InvalidInput(field_error(error, f"{where}payload", rule.payload)) from None
    payload = stored_text(new.payload, f"{where}payload")
    parents = new.parent_ids
    event_id = new.id.lower() if new.id else new_id()
    if parents:
        parents = list(dict.fromkeys([parent.lower() for parent in parents]))
        if len(parents) > MAX_PARENTS:
            raise InvalidInput(FieldError(f"{where}parent_ids", f"{len(parents)} parents, the limit is {MAX_PARENTS}"))
        if new.id and event_id in parents:
            raise InvalidInput(FieldError(f"{where}parent_ids", "an event cannot be its own parent"))
    if rule.withdraws and not parents:
        raise InvalidInput(FieldError(f"{where}parent_ids", f"a {new.type} names the proposals it withdraws"))
    action = None if rule.withdraws else fields.action
    result = Draft(event_id, new.type, new.scope, new.trace_id, new.agent_id, parents or [], payload, action, client_id=bool(new.id))
    if rule.effect == "touch":
        return result
    result.value, result.alpha = fields.size, fields.own_alpha
    if rule.credits and isinstance(fields.credit, dict):  # type: ignore[attr-defined] - any other value is the client's own
        result.credit = _credit(cast("dict[str, Any]", fields.credit), f"{where}payload.credit")  # type: ignore[attr-defined]
    return result


def _credit(value: dict[str, Any], field: str) -> Credit:
    try:
        return msgspec.convert(value, Credit)
    except msgspec.ValidationError as error:
        raise InvalidInput(field_error(error, field, Credit)) from None


def stored_text(value: dict[str, Any], field: str) -> str:
    """A JSON object as the compact text that is stored.

    Args:
        field: the name of the object in errors.

    Raises:
        InvalidInput: it is nested more than MAX_NESTING levels deep.
        TooLarge: it has more than MAX_PAYLOAD bytes.
    """
    try:
        text = _encode(value)
    except RecursionError:
        raise InvalidInput(FieldError(field, f"nested more than {MAX_NESTING} deep")) from None
    if text.count(b"[") + text.count(b"{") > MAX_NESTING and _nesting(value) > MAX_NESTING:
        raise InvalidInput(FieldError(field, f"nested more than {MAX_NESTING} deep"))
    if len(text) > MAX_PAYLOAD:
        raise TooLarge(FieldError(field, f"{len(text)} bytes, the limit is {MAX_PAYLOAD}"))
    return text.decode()


def _nesting(value: Any) -> int:
    """Levels of a decoded JSON object, 1 without nesting. Walked level by level, because recursion could overflow the stack."""
    depth = 0
    level: list[Any] = [value]
    while level:
        depth += 1
        children: list[Any] = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        level = [child for child in children if isinstance(child, dict | list)]
    return depth


def same_content(sent: Draft, stored: Event) -> bool:
    """Whether a retry has the content of the stored event. The order of keys in the payload does not matter; 1 and 1.0 differ."""
    if (sent.type, sent.scope, sent.trace_id, sent.agent_id, sent.parent_ids) != (
        stored.type, stored.scope, stored.trace_id, stored.agent_id, stored.parent_ids,
    ):  # fmt: skip
        return False
    return sent.payload.encode() == bytes(stored.payload) or canonical(sent.payload.encode()) == canonical(bytes(stored.payload))


def canonical(payload: bytes) -> bytes:
    """The same JSON with keys in sorted order at every depth."""
    return msgspec.json.encode(msgspec.json.decode(payload), order="sorted")
