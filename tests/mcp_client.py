"""The official client of the Model Context Protocol over both transports, and the calls that tests make with it."""

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
"""The transport (`http` or `stdio`), and the mode of the client: a protocol version, `legacy` or `auto`."""


def target(url: str, transport: str) -> str | StdioServerParameters:
    """Where the client connects to: `/mcp` of a service, or `semp mcp` for this service."""
    if transport == "http":
        return f"{url}/mcp"
    return StdioServerParameters(command=sys.executable, args=["-m", "semp", "mcp"], env={"SEMP_URL": url})


@asynccontextmanager
async def connected(url: str, way: Way, notified: list[str] | None = None) -> AsyncGenerator[Client]:
    """A client of the service at the URL. The URIs of resources that it is notified of are appended to `notified`."""

    async def note(message: Any) -> None:
        if notified is not None and isinstance(message, types.ResourceUpdatedNotification):
            notified.append(message.params.uri)

    transport, mode = way
    async with Client(target(url, transport), mode=mode, message_handler=note) as client:
        yield client


async def call(client: Client, name: str, **arguments: Any) -> Any:
    """The result of a tool, which must be no error; its text must be the same JSON."""
    result = await client.call_tool(name, arguments)
    text = text_of(result)
    assert not result.is_error, text
    assert json.loads(text) == result.structured_content
    return result.structured_content


async def refused(client: Client, name: str, **arguments: Any) -> Any:
    """The error that a tool answers."""
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return json.loads(text_of(result))


def text_of(result: types.CallToolResult) -> str:
    """The first content of a result, which must be text."""
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text


async def subscribe(client: Client, uri: str) -> None:
    await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]  # clients of the older protocol use this


async def unsubscribe(client: Client, uri: str) -> None:
    await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]
