"""The MCP server. The same server is used for both transports, stdio and HTTP."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import mcp_types as types
import msgspec
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server

from semp import __version__
from semp.domain.errors import InvalidInput
from semp.mcp.resources import FIXED, TEMPLATES, signal_uri, trace_uri
from semp.mcp.service import Refused, Service
from semp.mcp.subscriptions import Context, Subscriptions, mcp_error, on_behalf, resource_of
from semp.mcp.tools import TOOLS

log = logging.getLogger(__name__)

INSTRUCTIONS = """SEL/SEMP is an environment that agents share. Agents do not message each other: each emits events, and reads the events of
others. Choose work by the strongest signals (read_signals). Emit a proposal before you begin, ready when you are done, test results as they
come, and a reward or penalty for what helped or hurt. Put the ids of the events that caused an event in its parent_ids, so that causes can
be traced later. Use one trace_id for a piece of work and one agent_id for yourself."""
OFFERED = 20
"""Maximum number of signals, and of traces, that are listed as resources."""
UNCHANGING = CacheHint(ttl_ms=3_600_000, scope="public")
JSON = "application/json"

_encode = msgspec.json.Encoder().encode


def mcp_server(service: Service) -> Server[Any]:
    """An MCP server with the tools and resources of a service. Its only state is subscriptions."""
    tools = {
        one.name: types.Tool(
            name=one.name,
            title=one.title,
            description=one.description,
            input_schema=one.input_schema,
            output_schema=one.output_schema,
            annotations=types.ToolAnnotations(
                read_only_hint=not one.writes, destructive_hint=False, idempotent_hint=not one.writes, open_world_hint=False
            ),
        )
        for one in TOOLS.values()
    }
    subscriptions = Subscriptions(service)

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=list(tools.values()))

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        called = TOOLS.get(params.name)
        try:
            if called is None:
                return _failed(404, {"message": f"no such tool: {params.name}; the tools are {', '.join(TOOLS)}"})
            answer = await called.call(on_behalf(service, context), params.arguments or {})
        except InvalidInput as error:
            return _failed(400, {"message": f"Validation error: {error}", "errors": error.fields})
        except Refused as error:
            return _failed(error.status, error.body, error.retry_after)
        except Exception:
            log.exception("the tool %s failed", params.name)
            return _failed(500, {"message": "Internal server error"})
        return types.CallToolResult(content=[types.TextContent(text=answer.decode())], structured_content=msgspec.json.decode(answer))

    async def list_resources(context: Context, _: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        acting = on_behalf(service, context)
        try:
            signals, traces = await asyncio.gather(
                acting.get("/api/signals", {"limit": OFFERED}), acting.get("/api/traces", {"limit": OFFERED})
            )
        except Refused as error:
            raise mcp_error(error) from None
        resources = [types.Resource(uri=one.uri, name=one.name, description=one.text, mime_type=JSON) for one in FIXED]
        for one in msgspec.json.decode(signals.body):
            uri, name = signal_uri(one["scope"], one["pattern"]), f"{one['scope']}:{one['pattern']}"
            resources.append(types.Resource(uri=uri, name=name, description="A signal.", mime_type=JSON))
        for one in msgspec.json.decode(traces.body):
            uri, name = trace_uri(one["trace_id"]), one["trace_id"]
            resources.append(types.Resource(uri=uri, name=name, description=f"A trace of {one['events']} events.", mime_type=JSON))
        return types.ListResourcesResult(resources=resources)

    async def list_templates(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
        templates = [types.ResourceTemplate(uri_template=one.uri, name=one.name, description=one.text, mime_type=JSON) for one in TEMPLATES]
        return types.ListResourceTemplatesResult(resource_templates=templates)

    async def read_resource(context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        resource = resource_of(params.uri)
        try:
            answer = await on_behalf(service, context).get(resource.path, resource.query)
        except Refused as error:
            raise mcp_error(error) from None
        text = types.TextResourceContents(uri=params.uri, text=answer.body.decode(), mime_type=JSON)
        return types.ReadResourceResult(contents=[text])

    return Server(
        "semp",
        title="SEL/SEMP",
        version=__version__,
        instructions=" ".join(INSTRUCTIONS.split()),
        cache_hints={"tools/list": UNCHANGING, "resources/templates/list": UNCHANGING},
        get_tool_input_schema=lambda name: tools[name].input_schema if name in tools else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=subscriptions.subscribe,
        on_unsubscribe_resource=subscriptions.unsubscribe,
        on_subscriptions_listen=subscriptions.listen,
    )


def _failed(status: int, body: Any, retry_after: int | None = None) -> types.CallToolResult:
    """The result of a failed call: the REST API's error, with the fields at fault, as text for the model."""
    optional = {} if retry_after is None else {"retry_after": retry_after}
    text = _encode({"status": status, **body, **optional}).decode()
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
