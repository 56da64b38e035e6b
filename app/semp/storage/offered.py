"""The queries that a store offers by name: described from their headers, their parameters read as the headers type them."""

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
"""What the database can count."""


def described(query: Query) -> OfferedQuery:
    """What a header says.

    Raises:
        QueryFileError: it declares a parameter of a type that cannot be given as text.
    """
    parameters = [_parameter(query, name, declared) for name, declared in query.params.items()]
    columns = [QueryColumn(name, kind) for name, kind in query.columns.items()]
    return OfferedQuery(query.name, query.purpose, "cypher", parameters, columns, query.text)


def _parameter(query: Query, name: str, declared: str) -> QueryParameter:
    found = _DECLARED.fullmatch(declared)
    if found is None:
        raise QueryFileError(f"cypher/{query.name}: {name} needs a type: STRING, INTEGER(1..1000), FLOAT or BOOLEAN, perhaps '= default'")
    kind: QueryParameterType = found[1]  # type: ignore[assignment]
    least, most = (int(edge) if edge else UNSET for edge in found.group(2, 3))
    return QueryParameter(name, kind, found[5] or "", name not in query.defaults, query.defaults.get(name, UNSET), least, most)


def arguments(query: OfferedQuery, given: Mapping[str, str]) -> dict[str, Any]:
    """The values to run it with, from texts; those left out are the defaults.

    Raises:
        InvalidInput: names every parameter that is missing, unknown, of another type or out of bounds, with what is allowed.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    there = ", ".join(known) or "none"
    errors = [FieldError(name[:100], f"is no parameter of {query.name}; there are: {there}") for name in given if name not in known]
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
    """Raises KeyError or ValueError when the text is no such value."""
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
    least = _SMALLEST if parameter.minimum is UNSET else parameter.minimum
    most = _LARGEST if parameter.maximum is UNSET else parameter.maximum
    if not least <= value <= most:
        raise ValueError
    return value


def _allowed(parameter: QueryParameter) -> str:
    if parameter.type == "BOOLEAN":
        return "true or false"
    kind = {"STRING": "text", "INTEGER": "a whole number", "FLOAT": "a number"}[parameter.type]
    least, most = parameter.minimum, parameter.maximum
    if least is not UNSET and most is not UNSET:
        return f"{kind}, {least} to {most}"
    return f"{kind}, {least} or more" if least is not UNSET else f"{kind}, {most} or less" if most is not UNSET else kind
