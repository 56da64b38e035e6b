"""POST routes that Litestar documents, routes and guards with middleware and exception handlers, but whose body goes straight in.

A plain Litestar handler builds a Request, a kwargs model and a Response for each call; here the route's innermost middleware reads
the body and answers itself, so an append pays for little more than its own work. It uses public API only: `middleware=` of a route.
What does not run on such a route: guards, hooks (`before_request`, ...), dependencies and response options. Authentication belongs
in a middleware of the app, which does run.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, Signature
from typing import Any, NamedTuple, TypeVar

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody
from litestar.types import ASGIApp, Receive, Scope, Send

from semp.api.errors import UnsupportedMediaType
from semp.api.examples import NEW_EVENT
from semp.domain.errors import FieldError, InvalidInput, StoreUnavailable, TooLarge
from semp.domain.validation import field_error

MAX_BODY = 1024 * 1024
"""Bytes of a request body, at most."""
JSON = "application/json"
CODINGS = {"gzip": 31, "deflate": 15}
"""Content encodings a body may have, each with zlib's name of its format (`wbits`)."""

T = TypeVar("T")


class Incoming(NamedTuple):
    """A request, its body read whole."""

    body: bytes
    content_type: str
    scope: Scope


class Answer(NamedTuple):
    """What goes back: JSON, ready to send."""

    status: int
    body: bytes


Respond = Callable[[Incoming], Awaitable[Answer]]


def direct_post(
    path: str,
    *,
    body: Any,
    answer: Any,
    accepts: Sequence[str] = (JSON,),
    max_body: int = MAX_BODY,
    responses: dict[int, ResponseSpec],
    parameters: dict[str, Any] | None = None,
    **documentation: Any,
) -> Callable[[Respond], post]:
    """Make a POST route of a function from request to answer.

    Args:
        body: type of the body, for the OpenAPI document; the function decodes it itself, with `decode`.
        answer: type of the answer to a success, for the document.
        accepts: media types it reads; others are answered 415.
        max_body: bytes; a longer body is answered 413, before it is read where its length is announced.
        parameters: annotations of path and query parameters, for the document; the function finds their values in the scope.
    """

    def decorate(respond: Respond) -> post:
        async def documented(**_: Any) -> Any:
            raise NotImplementedError

        names = {"data": body, **(parameters or {})}
        documented.__name__ = documented.__qualname__ = respond.__name__
        documented.__module__ = respond.__module__
        documented.__doc__ = respond.__doc__
        documented.__annotations__ = {**names, "return": answer}
        _set_signature(documented, names, answer)
        route = post(
            path,
            middleware=[partial(_Direct, respond=respond, accepts=frozenset(accepts), max_body=max_body)],
            responses=responses,
            operation_class=_documenting(accepts),
            **documentation,
        )
        return route(documented)  # type: ignore[return-value]

    return decorate


def _documenting(accepts: Sequence[str]) -> type[Operation]:
    """An OpenAPI operation that lists every media type the route reads, not only JSON."""

    @dataclass
    class Accepting(Operation):
        def __post_init__(self) -> None:
            content = self.request_body.content if isinstance(self.request_body, RequestBody) else {}
            if JSON in content:
                for kind in accepts:
                    content.setdefault(kind, OpenAPIMediaType(schema=content[JSON].schema, example=msgspec.json.encode(NEW_EVENT).decode()))

    return Accepting


def _set_signature(function: Any, names: dict[str, Any], answer: Any) -> None:
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in names.items()]
    function.__signature__ = Signature(parameters, return_annotation=answer)


class _Direct:
    def __init__(self, app: ASGIApp, *, respond: Respond, accepts: frozenset[str], max_body: int) -> None:
        self.app = app
        """The route as Litestar would run it: there for the document, never called."""
        self.respond = respond
        self.accepts = accepts
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content_type, coding = "", ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                if content_type:
                    raise UnsupportedMediaType("content-type", "more than one content type")
                content_type = value.decode("latin-1").partition(";")[0].strip().lower()
            elif name == b"content-encoding":
                coding = value.decode("latin-1").strip().lower()
            elif name == b"content-length" and int(value) > self.max_body:
                raise TooLarge(FieldError("body", f"{int(value)} bytes, the limit is {self.max_body}"))
        if content_type not in self.accepts:
            raise UnsupportedMediaType("content-type", f"the content type must be {' or '.join(sorted(self.accepts))}")
        try:
            body = await _read(receive, self.max_body)
        except asyncio.CancelledError:
            raise StoreUnavailable("the service is stopping") from None
        if body is not None and coding not in ("", "identity"):
            body = decoded(body, coding, self.max_body)
        if body is None:
            return  # the client left before it had sent everything; nothing was begun
        status, answer = await self.respond(Incoming(body, content_type, scope))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})


async def _read(receive: Receive, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message["body"]
        size += len(chunk)
        if size > limit:
            raise TooLarge(FieldError("body", f"longer than the limit of {limit} bytes"))
        if not message["more_body"]:
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """A compressed body as it was.

    Args:
        limit: bytes it may have then, at most.

    Raises:
        UnsupportedMediaType: the coding is none this reads.
        TooLarge: it is longer.
        InvalidInput: it is damaged.
    """
    if coding not in CODINGS:
        raise UnsupportedMediaType(
            "content-encoding", f"the content encoding must be {' or '.join(CODINGS)}", {"accept-encoding": ", ".join(CODINGS)}
        )
    reader = zlib.decompressobj(wbits=CODINGS[coding])
    try:
        found = reader.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidInput(FieldError("body", f"not valid {coding}: {error}")) from None
    if len(found) > limit:
        raise TooLarge(FieldError("body", f"longer than the limit of {limit} bytes once it is unpacked"))
    if not reader.eof or reader.unused_data:
        raise InvalidInput(FieldError("body", f"not valid {coding}: it ends too early, or something follows"))
    return found


def decode(read: Callable[[bytes], T], body: bytes) -> T:
    """Decode a body with a msgspec decoder.

    Raises:
        InvalidInput: names the field and the reason, or says what is wrong with the JSON.
    """
    try:
        return read(body)
    except msgspec.ValidationError as error:
        found = field_error(error, of=getattr(getattr(read, "__self__", None), "type", None))  # the decoder's type
        raise InvalidInput(found if found.field else FieldError("body", found.reason)) from None
    except msgspec.DecodeError as error:
        raise InvalidInput(FieldError("body", f"not valid JSON: {error}")) from None
    except UnicodeDecodeError:
        raise InvalidInput(FieldError("body", "not valid UTF-8")) from None
    except RecursionError:
        raise InvalidInput(FieldError("body", "nested too deeply")) from None
