"""`semp mcp`: serves the Model Context Protocol on standard input and output."""

from __future__ import annotations

import asyncio

from semp.cli.address import parse_address
from semp.cli.options import DEFAULT_URL, Url


def mcp(*, url: Url = DEFAULT_URL) -> None:
    """Serve the Model Context Protocol on standard input and output, for the service at URL. MCP clients run this command themselves.

    Args:
        url: URL of the service.
    """
    address = parse_address(url)
    from semp.mcp.stdio import serve as run

    asyncio.run(run(address.url, auth=address.credentials, proxy=address.proxy.for_httpx if address.proxy else None))
