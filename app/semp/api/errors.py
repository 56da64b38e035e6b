"""The one mapping from errors to HTTP answers: `{"message": text, "errors": [{"field", "reason"}]?}`.

An answer never contains a stack trace, a database query or a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, Schema

from semp.api.query_parameters import query_parameters
from semp.domain.errors import (
    CannotResume,
    FieldError,
    Forbidden,
    IdConflict,
    InvalidInput,
    NotFound,
    QueryTimeout,
    QueryTooLarge,
    SempError,
    TooLarge,
    Unavailable,
)
from semp.domain.validation import with_allowed

log = logging.getLogger(__name__)


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """The body of every error answer."""

    message: str
    errors: Sequence[FieldError] | None = None


class UnsupportedMediaType(HTTPException):
    """This route does not read the media type or content encoding of the body. `header` names the request header at fault."""

    status_code = 415

    def __init__(self, header: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail=detail, headers=headers)
        self.header = header


class Described(NamedTuple):
    """An error as it is sent to clients, over HTTP or a WebSocket. `retry_after` is in seconds."""

    status: int
    message: str
    errors: Sequence[FieldError] | None = None
    retry_after: int | None = None


def describe(error: SempError) -> Described | None:
    """Status and message of a domain error; None for a defect, whose details are not sent to clients."""
    match error:
        case TooLarge():
            return Described(413, f"Validation error: {error}", error.fields)
        case InvalidInput():
            return Described(400, f"Validation error: {error}", error.fields)
        case Forbidden():
            return Described(403, str(error), error.fields or None)
        case IdConflict():
            return Described(409, str(error), [FieldError(error.field, f"taken by {error.what} with other content")])
        case CannotResume():
            return Described(409, str(error), [FieldError("after", str(error))])
        case NotFound():
            return Described(404, str(error))
        case Unavailable():
            return Described(503, str(error), retry_after=error.retry_after)
        case QueryTimeout() | QueryTooLarge():
            return Described(400, f"Validation error: {error}")
        case _:
            return None


def domain_error(request: Request[Any, Any, Any], error: SempError) -> Response[ErrorBody]:
    """Answer a domain error."""
    described = describe(error)
    if described is None:
        return unexpected_error(request, error)
    headers = {"retry-after": str(described.retry_after)} if described.retry_after is not None else None
    return _answer(described.status, described.message, described.errors, headers)


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    """Answer an error that Litestar raised, in the same format as domain errors."""
    headers = dict(error.headers or {})
    match error:
        case ValidationException():
            details: list[Any] = error.extra if isinstance(error.extra, list) else []
            fields = [_field(request, str(item.get("key", "")), str(item.get("message", ""))) for item in details]
            if isinstance(error.__cause__, KeyError):  # Litestar reports a missing parameter only by this cause, which holds its name
                fields.append(FieldError(_query_name(str(error.__cause__.args[0])), "required parameter is missing"))
            text = "; ".join(f"{field.field}: {field.reason}" for field in fields) or error.detail
            return _answer(400, f"Validation error: {text}", fields or None, headers)
        case NotFoundException():
            return _answer(404, f"no such path: {request.url.path}")
        case MethodNotAllowedException():
            return _answer(405, f"{request.method} is not allowed at {request.url.path}", headers=headers)
        case UnsupportedMediaType():
            return _answer(415, error.detail, [FieldError(error.header, error.detail)], headers)
        case _ if error.status_code >= 500:
            return unexpected_error(request, error)
        case _:
            prefix = "Validation error: " if error.status_code == 400 else ""
            return _answer(error.status_code, f"{prefix}{error.detail}", headers=headers)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Answer a defect: the details go to the log, none to the client."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(500, "Internal server error")


EXCEPTION_HANDLERS: dict[Any, Any] = {SempError: domain_error, HTTPException: http_error, Exception: unexpected_error}


def _answer(
    status: int, message: str, errors: Sequence[FieldError] | None = None, headers: dict[str, str] | None = None
) -> Response[ErrorBody]:
    return Response(ErrorBody(message, errors), status_code=status, headers=headers, media_type="application/json")


def _query_name(name: str) -> str:
    """The query parameter's name for a handler's argument. They differ where the name cannot be an argument of a Litestar handler."""
    return {"types": "type", "in_scope": "scope", "return_": "return"}.get(name, name)


def _field(request: Request[Any, Any, Any], key: str, message: str) -> FieldError:
    name, reason = _query_name(key), message[:1].lower() + message[1:]
    if reason.startswith("invalid enum value"):
        reason = with_allowed(reason, _allowed(request, name))
    return FieldError(name, reason)


def _allowed(request: Request[Any, Any, Any], name: str) -> list[str]:
    """The values that a query parameter may have, from the app's OpenAPI document."""
    parameter = query_parameters(request.app).get(request.scope.get("path_template", ""), {}).get(name)
    schemas = [parameter.schema] if parameter is not None else []
    for schema in schemas:
        if isinstance(schema, Schema):
            schemas += [*(schema.one_of or ()), *([schema.items] if schema.items is not None else ())]
    return [str(value) for schema in schemas if isinstance(schema, Schema) for value in schema.enum or () if value is not None]


_DESCRIBED = {
    400: ("The input was refused; nothing was written.", "Validation error: scope: required field is missing"),
    404: ("The object does not exist.", "no event has the id 0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10"),
    409: (
        "The request conflicts with what the log holds.",
        "id 0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10 is taken by an event with other content",
    ),
    413: ("The body, or a payload in it, is too large.", "Validation error: payload: 300000 bytes, the limit is 262144"),
    415: ("This route does not read the body's media type or content encoding.", "the content type must be application/json"),
    500: ("A defect in the service; its log has the details.", "Internal server error"),
    503: ("Temporarily unavailable; repeat after `Retry-After` seconds.", "the database is not available; nothing was stored"),
}  # fmt: skip


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The documented error answers of a route: these statuses, and always 500."""
    return {
        status: ResponseSpec(
            data_container=ErrorBody,
            description=_DESCRIBED[status][0],
            generate_examples=False,
            examples=[Example(summary=_DESCRIBED[status][0], value={"message": _DESCRIBED[status][1]})],
        )
        for status in (*statuses, 500)
    }
