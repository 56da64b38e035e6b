"""`semp mcp`: the Model Context Protocol for a service."""

from __future__ import annotations

import asyncio

from semp.cli.address import parse_address
from semp.cli.options import HERE, Url


def mcp(*, url: Url = HERE) -> None:
    """Serve the Model Context Protocol on standard input and output, for the service at URL. MCP clients start this by themselves.

    Args:
        url: Where the service is.
    """
    address = parse_address(url)
    from semp.mcp.stdio import serve as run

    asyncio.run(run(address.url, auth=address.credentials, proxy=address.proxy.for_httpx if address.proxy else None))
