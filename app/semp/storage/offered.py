"""Offered queries: their descriptions, made from the headers of their files, and their parameters, parsed from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from semp.domain.errors import FieldError, InvalidInput
from semp.engine.records import OfferedQuery, QueryColumn, QueryParameter, QueryParameterType
from semp.storage.queries import Query, QueryFileError

_DECLARED = re.compile(r"(STRING|INTEGER|FLOAT|BOOLEAN)(?:\((-?\d+)?\.\.(-?\d+)?\))?(?: = (\S+))?(?:  (.*))?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_FLOAT = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "false": False}
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
"""The range of INTEGER in the database: signed, 64 bits."""


def described(query: Query) -> OfferedQuery:
    """The description of a query, made from the header of its file.

    Raises:
        QueryFileError: the header declares a parameter of another type than STRING, INTEGER, FLOAT or BOOLEAN.
    """
    parameters = [_parameter(query, name, declared) for name, declared in query.params.items()]
    columns = [QueryColumn(name, kind) for name, kind in query.columns.items()]
    return OfferedQuery(query.name, query.purpose, "cypher", parameters, columns, query.text)


def _parameter(query: Query, name: str, declared: str) -> QueryParameter:
    match = _DECLARED.fullmatch(declared)
    if match is None:
        raise QueryFileError(f"cypher/{query.name}: {name} needs a type: STRING, INTEGER(1..1000), FLOAT or BOOLEAN, perhaps '= default'")
    kind: QueryParameterType = match[1]  # type: ignore[assignment]
    minimum, maximum = (int(bound) if bound else UNSET for bound in match.group(2, 3))
    return QueryParameter(name, kind, match[5] or "", name not in query.defaults, query.defaults.get(name, UNSET), minimum, maximum)


def arguments(query: OfferedQuery, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of all parameters of a query, parsed from the texts given. A parameter that is left out gets its default.

    Raises:
        InvalidInput: a parameter is missing, unknown, of another type or out of bounds. The error names every such parameter, and what
            is allowed.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    names = ", ".join(known) or "none"
    errors = [FieldError(name[:100], f"is no parameter of {query.name}; there are: {names}") for name in given if name not in known]
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name not in given and not parameter.required:
            values[name] = parameter.default
            continue
        try:
            values[name] = _value(parameter, given[name])
        except (KeyError, ValueError):
            reason = f"expected {_allowed(parameter)}" if name in given else f"required parameter is missing: {_allowed(parameter)}"
            errors.append(FieldError(name, reason))
    if errors:
        raise InvalidInput(*errors)
    return values


def _value(parameter: QueryParameter, text: str) -> Any:
    """The value of one parameter. Raises KeyError or ValueError when the text is not of its type, or out of bounds."""
    match parameter.type:
        case "STRING":
            return text
        case "BOOLEAN":
            return _BOOLEANS[text]
        case "FLOAT":
            if _FLOAT.fullmatch(text) is None:
                raise ValueError
            value = float(text)
        case "INTEGER":
            if _INTEGER.fullmatch(text) is None:
                raise ValueError
            value = int(text)
    minimum = _SMALLEST if parameter.minimum is UNSET else parameter.minimum
    maximum = _LARGEST if parameter.maximum is UNSET else parameter.maximum
    if not minimum <= value <= maximum:
        raise ValueError
    return value


def _allowed(parameter: QueryParameter) -> str:
    """The type and bounds of a parameter in words, for error messages."""
    if parameter.type == "BOOLEAN":
        return "true or false"
    kind = {"STRING": "text", "INTEGER": "a whole number", "FLOAT": "a number"}[parameter.type]
    minimum, maximum = parameter.minimum, parameter.maximum
    if minimum is not UNSET and maximum is not UNSET:
        return f"{kind}, {minimum} to {maximum}"
    return f"{kind}, {minimum} or more" if minimum is not UNSET else f"{kind}, {maximum} or less" if maximum is not UNSET else kind
