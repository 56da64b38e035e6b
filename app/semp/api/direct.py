"""POST routes that bypass Litestar's request and response objects, for speed.

A plain Litestar handler builds a Request, a kwargs model and a Response for each call. Here the route's innermost middleware reads the
body and answers itself, so an append has little overhead. This uses only Litestar's public API: `middleware=` of a route.

Litestar still documents such a route, and runs the app's exception handlers; the app's middleware runs too. What succeeds does not even
pass Litestar's router, see `semp.api.shortcuts`. Guards, hooks (`before_request`, ...), dependencies and response options do not run. So
authentication must be a middleware of the app.
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
from semp.domain.errors import FieldError, InvalidInput, QueueFull, StoreUnavailable, TooLarge
from semp.domain.validation import field_error

MAX_BODY = 1024 * 1024
"""Maximum size of a request body in bytes."""
MAX_BODIES = 256 * 1024 * 1024
"""Bytes of all large bodies that are being read or worked on, of all connections together. A body that comes in one piece and is not
compressed does not count. With more, a request is answered 503, except when it is the only one."""
JSON = "application/json"
CODINGS = {"gzip": 31, "deflate": 15}
"""Content encodings that a body may have, each with the `wbits` argument that makes zlib read it."""

FAILED = "semp.failed"
"""Key of the ASGI scope: the error that a direct route has raised already, see `semp.api.shortcuts`."""

T = TypeVar("T")


class Incoming(NamedTuple):
    """A request with its complete, decompressed body. `content_type` is in lower case and has no parameters."""

    body: bytes
    content_type: str
    scope: Scope


class Answer(NamedTuple):
    """An answer; `body` is encoded JSON."""

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
    """Make a POST route from a function that takes an `Incoming` and returns an `Answer`.

    Args:
        body: type of the body, for the OpenAPI document only; the function decodes the body itself, with `decode`.
        answer: type of a successful answer, for the OpenAPI document only.
        accepts: media types that the route reads; others are answered 415.
        max_body: maximum size of the body in bytes, also after decompression. A larger body is answered 413, without reading it when
            `Content-Length` says so.
        responses: the documented answers by status.
        parameters: annotations of path and query parameters, for the OpenAPI document only; the function reads the values from the scope.
        documentation: further keyword arguments of `litestar.post`.
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
            middleware=[partial(Direct, respond=respond, accepts=frozenset(accepts), max_body=max_body)],
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


class Held:
    """Bytes that a request holds of the room for bodies, see MAX_BODIES."""

    all_together = 0

    def __init__(self) -> None:
        self.size = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            QueueFull: there is no room.
        """
        if Held.all_together > self.size and Held.all_together + size > MAX_BODIES:
            raise QueueFull("too many large requests at once; nothing was stored")
        self.size += size
        Held.all_together += size

    def release(self) -> None:
        """Give everything back."""
        Held.all_together -= self.size
        self.size = 0


class Direct:
    """The middleware that answers a direct route."""

    def __init__(self, app: ASGIApp, *, respond: Respond, accepts: frozenset[str], max_body: int) -> None:
        self.app = app
        """The route as Litestar would run it. Never called: it exists only for the OpenAPI document."""
        self.respond = respond
        self.accepts = accepts
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if FAILED in scope:
            raise scope[FAILED]
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
        held = Held()
        try:
            try:
                body = await _read(receive, self.max_body, held)
            except asyncio.CancelledError:
                raise StoreUnavailable("the service is stopping") from None
            if body is not None and coding not in ("", "identity"):
                body = decoded(body, coding, self.max_body)
                held.take(len(body))
            if body is None:
                return  # the client disconnected before it had sent the whole body
            status, answer = await self.respond(Incoming(body, content_type, scope))
        finally:
            held.release()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})


async def _read(receive: Receive, limit: int, held: Held) -> bytes | None:
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
        held.take(len(chunk))
        chunks.append(chunk)


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """Decompress a body.

    Args:
        coding: the `Content-Encoding`, in lower case.
        limit: maximum size of the result in bytes. No more than this is decompressed.

    Raises:
        UnsupportedMediaType: the coding is not one of CODINGS.
        TooLarge: the result is larger than the limit.
        InvalidInput: the body is not valid in that coding.
    """
    if coding not in CODINGS:
        raise UnsupportedMediaType(
            "content-encoding", f"the content encoding must be {' or '.join(CODINGS)}", {"accept-encoding": ", ".join(CODINGS)}
        )
    reader = zlib.decompressobj(wbits=CODINGS[coding])
    try:
        unpacked = reader.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidInput(FieldError("body", f"not valid {coding}: {error}")) from None
    if len(unpacked) > limit:
        raise TooLarge(FieldError("body", f"longer than the limit of {limit} bytes when it is unpacked"))
    if not reader.eof or reader.unused_data:
        raise InvalidInput(FieldError("body", f"not valid {coding}: the data ends too early, or is followed by other data"))
    return unpacked


def decode(read: Callable[[bytes | msgspec.Raw], T], body: bytes | msgspec.Raw, root: str = "") -> T:
    """Decode a body, or a part of one, with the method of a msgspec decoder.

    Args:
        root: the path of the part in errors, such as `[3]`; empty for a whole body.

    Raises:
        InvalidInput: the body is not valid JSON or UTF-8, or not of the decoder's type; names the field and the reason.
    """
    try:
        return read(body)
    except msgspec.ValidationError as error:
        invalid = field_error(error, root, of=getattr(getattr(read, "__self__", None), "type", None))  # the decoder's type
        raise InvalidInput(invalid if invalid.field else FieldError("body", invalid.reason)) from None
    except msgspec.DecodeError as error:
        reason = f"not valid JSON: {error}"
    except UnicodeDecodeError:
        reason = "not valid UTF-8"
    except RecursionError:
        reason = "nested too deeply"
    raise InvalidInput(FieldError("body", f"{root}: {reason}" if root else reason))
