"""The official client of the Model Context Protocol, over either transport, and what tests ask through it."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters

Way = tuple[str, str]
"""The transport, and the generation of the protocol."""


def target(url: str, transport: str) -> str | StdioServerParameters:
    if transport == "http":
        return f"{url}/mcp"
    return StdioServerParameters(command=sys.executable, args=["-m", "semp", "mcp"], env={"SEMP_URL": url})


@asynccontextmanager
async def connected(url: str, way: Way, heard: list[str] | None = None) -> AsyncGenerator[Client]:
    """A client; the URIs it is told of go to `heard`."""

    async def note(message: Any) -> None:
        if heard is not None and isinstance(message, types.ResourceUpdatedNotification):
            heard.append(message.params.uri)

    transport, mode = way
    async with Client(target(url, transport), mode=mode, message_handler=note) as client:
        yield client


async def call(client: Client, name: str, **arguments: Any) -> Any:
    """What a tool answers; it must be what its schema says, and the same as text."""
    result = await client.call_tool(name, arguments)
    text = text_of(result)
    assert not result.is_error, text
    assert json.loads(text) == result.structured_content
    return result.structured_content


async def refused(client: Client, name: str, **arguments: Any) -> Any:
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return json.loads(text_of(result))


def text_of(result: types.CallToolResult) -> str:
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text


async def subscribe(client: Client, uri: str) -> None:
    await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]  # clients of the older protocol still ask so


async def unsubscribe(client: Client, uri: str) -> None:
    await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]
