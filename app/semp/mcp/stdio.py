"""`semp mcp`: the server on standard input and output, for a client that starts it."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from semp.mcp.server import mcp_server
from semp.mcp.service import Service


async def serve(url: str) -> None:
    """Serve until standard input ends. The service need not be there yet: a call says so when it is not."""
    async with Service(url) as service, stdio_server() as (reading, writing):
        server = mcp_server(service)
        await server.run(reading, writing, server.create_initialization_options())
