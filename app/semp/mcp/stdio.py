"""`semp mcp`: the server on standard input and output, for a client that starts it."""

from __future__ import annotations

import httpx
from mcp.server.stdio import stdio_server

from semp.mcp.server import mcp_server
from semp.mcp.service import Service


async def serve(url: str, auth: tuple[str, str] | None = None, proxy: httpx.Proxy | None = None) -> None:
    """Serve until standard input ends. The service need not be there yet: a call says so when it is not.

    Args:
        url: the service's URL, without secrets, since messages show it.
        auth: user and password for HTTP Basic authentication.
        proxy: what is in between; proxies that the environment names are left alone.
    """
    async with Service(url, auth=auth, proxy=proxy) as service, stdio_server() as (reading, writing):
        server = mcp_server(service)
        await server.run(reading, writing, server.create_initialization_options())
