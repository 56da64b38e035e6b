"""A tool: a function from validated arguments to JSON, with its description for the model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import cleandoc
from typing import Any, NamedTuple, TypeVar

import msgspec

from semp.domain.errors import InvalidInput
from semp.domain.validation import field_error
from semp.mcp.service import Service

Arguments = TypeVar("Arguments", bound=msgspec.Struct)


class Tool(NamedTuple):
    """A tool. Its schemas are made from the types `arguments` and `answer`. The answer of a paged tool also has `next`, except on the last
    page."""

    name: str
    title: str
    description: str
    arguments: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    run: Callable[[Service, Any], Awaitable[bytes]]
    writes: bool
    paged: bool

    @property
    def input_schema(self) -> dict[str, Any]:
        return _schema(self.arguments)

    @property
    def output_schema(self) -> dict[str, Any]:
        schema = _schema(self.answer)
        if self.paged:
            schema["properties"]["next"] = {"type": "object", "description": "There is more. Add these arguments and repeat the call."}
        return schema

    async def call(self, service: Service, given: dict[str, Any]) -> bytes:
        """The answer, a JSON object. A null argument counts as not given, and "5" as 5, because models write both.

        Raises:
            InvalidInput: names the argument and the reason.
            Refused: the service refused the request.
        """
        not_null = {name: value for name, value in given.items() if value is not None}
        try:
            arguments = msgspec.convert(not_null, self.arguments, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidInput(field_error(error, of=self.arguments)) from None
        return await self.run(service, arguments)


def tool(
    title: str, arguments: type[Arguments], answer: type[msgspec.Struct], *, writes: bool = False, paged: bool = False
) -> Callable[[Callable[[Service, Arguments], Awaitable[bytes]]], Tool]:
    """Make a tool from a function. The function's name becomes the tool's name, its docstring the description."""

    def decorate(run: Callable[[Service, Arguments], Awaitable[bytes]]) -> Tool:
        return Tool(run.__name__, title, " ".join(cleandoc(run.__doc__ or "").split()), arguments, answer, run, writes, paged)

    return decorate


def _schema(of: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a type. Its root is an object, as the protocol requires. Titles and the root's description are removed."""
    _, parts = msgspec.json.schema_components([of])
    for part in parts.values():
        part.pop("title", None)
    root = parts.pop(of.__name__)
    root.pop("description", None)
    return {**root, "$defs": parts} if parts else root
