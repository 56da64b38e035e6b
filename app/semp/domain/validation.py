"""Validation errors of msgspec in the words of the API: the path of the field, the reason, and the allowed values."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
from msgspec.inspect import CustomType, DictType, ListType, LiteralType, Metadata, StructType, Type, UnionType, type_info

from semp.domain.errors import FieldError

_MISSING = "Object missing required field `"
_UNKNOWN = "Object contains unknown field `"
_STEP = re.compile(r"\[(?:\d+|\.\.\.)\]|[^.\[\]]+")


def field_error(error: msgspec.ValidationError, root: str = "", of: Any = None) -> FieldError:
    """Translate a validation error: the path of the field, below `root`, and the reason.

    Args:
        root: path of the value that was decoded; empty for the whole input.
        of: the type it was decoded to. With it, the reason lists the allowed values or fields, where there is such a list.
    """
    reason, _, path = str(error).partition(" - at `")
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if reason.startswith(_MISSING):
        path, reason = _below(path, reason.removeprefix(_MISSING).rstrip("`")), "required field is missing"
    elif reason.startswith(_UNKNOWN):
        allowed = _names(_at(of, path))
        path = _below(path, reason.removeprefix(_UNKNOWN).rstrip("`"))
        reason = f"unknown field; there are {', '.join(allowed)}" if allowed else "unknown field"
    elif reason.startswith("Invalid enum value"):
        reason = with_allowed(_plainer(reason), _values(_at(of, path)))
    joined = f"{root}.{path}" if root and path and not path.startswith("[") else f"{root}{path}"
    return FieldError(joined, _plainer(reason))


def with_allowed(reason: str, allowed: list[str]) -> str:
    """The reason, followed by the allowed values if there are any."""
    return f"{reason}; expected {_either(allowed)}" if allowed else reason


def _either(values: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(values[:-1]), values[-1]]))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plainer(reason: str) -> str:
    if "matching regex" in reason:
        return "is not a UUID" if "{8}" in reason else "expected dotted segments of letters, digits, '_' or '-', such as ui.login"
    return reason[:1].lower() + reason[1:]


_info = cache(type_info)


def _at(of: Any, path: str) -> list[Type]:
    """The types that are allowed at a path of a type; several for a union."""
    if of is None:
        return []
    types = _choices(_info(of))
    for step in _STEP.findall(path):
        types = [choice for one in types for next_ in _step(one, step) for choice in _choices(next_)]
    return types


def _choices(one: Type) -> list[Type]:
    match one:
        case Metadata():
            return _choices(one.type)
        case UnionType():
            return [choice for each in one.types for choice in _choices(each)]
        case CustomType():
            return []
        case _:
            return [one]


def _step(one: Type, step: str) -> list[Type]:
    match one:
        case ListType():
            return [one.item_type]
        case DictType():
            return [one.value_type]
        case StructType() if not step.startswith("["):
            return [field.type for field in one.fields if field.encode_name == step]
        case StructType():  # each line of NDJSON is decoded alone, and its step is its number
            return [one]
        case _:
            return []


def _values(types: list[Type]) -> list[str]:
    return [str(value) for one in types if isinstance(one, LiteralType) for value in one.values]


def _names(types: list[Type]) -> list[str]:
    return [field.encode_name for one in types if isinstance(one, StructType) for field in one.fields]
