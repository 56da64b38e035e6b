"""The MCP server on standard input and output, for a client that starts it with `semp mcp`."""

from __future__ import annotations

import httpx
from mcp.server.stdio import stdio_server

from semp.mcp.server import mcp_server
from semp.mcp.service import Service


async def serve(url: str, auth: tuple[str, str] | None = None, proxy: httpx.Proxy | None = None) -> None:
    """Serve until standard input ends. The service need not be running: calls fail with 503 while it is not.

    Args:
        url: the service's URL, without secrets, since error messages show it.
        auth: user and password for HTTP Basic authentication.
        proxy: the proxy to use. Proxies named by environment variables are not used.
    """
    async with Service(url, auth=auth, proxy=proxy) as service, stdio_server() as (read_stream, write_stream):
        server = mcp_server(service)
        await server.run(read_stream, write_stream, server.create_initialization_options())
