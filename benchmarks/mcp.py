"""Tool calls of the Model Context Protocol compared with the same requests of the REST API, with clients of minimal cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import in_turn, milliseconds, ratio

TODAY, BEFORE = "2026-07-28", "2025-11-25"
"""Revisions of the protocol: the first one without sessions, and the last one with sessions."""
EVENT = {"type": "proposal", "scope": "ui.login", "trace_id": "t", "agent_id": "a", "payload": {"action": "improve_ux"}}
META: dict[str, Any] = {"io.modelcontextprotocol/protocolVersion": TODAY, "io.modelcontextprotocol/clientCapabilities": {}}
HANDSHAKE = {"protocolVersion": BEFORE, "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "0"}}
ACCEPTED = {"content-type": "application/json", "accept": "application/json, text/event-stream"}

Call = Callable[[str, dict[str, Any]], Any]
"""Calls a tool by name with arguments; returns the structured answer."""


def message(method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def over_http(rest: Rest, revision: str) -> Call:
    """A call over `/mcp` in this revision, on the connection of a REST client."""
    headers = {**ACCEPTED, "mcp-protocol-version": revision}
    meta = {"_meta": META} if revision == TODAY else {}

    def post(body: str, **more: str) -> tuple[Any, bytes]:
        rest.connection.request("POST", "/mcp", body, {**headers, **more})
        answer = rest.connection.getresponse()
        return answer.headers, answer.read()

    if revision == BEFORE:
        answered, _ = post(message("initialize", **HANDSHAKE))
        headers["mcp-session-id"] = answered["mcp-session-id"]
        post(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))

    def call(name: str, arguments: dict[str, Any]) -> Any:
        body = message("tools/call", name=name, arguments=arguments, **meta)
        _, answer = post(body, **{"mcp-method": "tools/call", "mcp-name": name})
        return _result(answer.rpartition(b"data: ")[2])

    return call


@contextmanager
def over_stdio(port: int) -> Generator[Call]:
    """A call over the stdin and stdout of a `semp mcp` process."""
    line = [sys.executable, "-m", "semp", "mcp", "--url", f"http://127.0.0.1:{port}"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def call(name: str, arguments: dict[str, Any]) -> Any:
            requests.write(message("tools/call", name=name, arguments=arguments, _meta=META).encode() + b"\n")
            return _result(answers.readline())

        yield call
        requests.close()


def _result(answer: bytes) -> Any:
    result = json.loads(answer)["result"]
    assert not result.get("isError"), result
    return result["structuredContent"]


def sides(rest: Callable[[], Any], ways: dict[str, Call], tool: str, arguments: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """The same request over REST and over each transport."""
    return {"rest": rest, **{way: partial(call, tool, arguments) for way, call in ways.items()}}


def against_rest(report: Report, rounds: int = 300) -> None:
    """Read one event and append one event, over each transport in turn, on Neo4j."""
    with running("neo4j") as port, asking(port) as rest, asking(port) as today, asking(port) as before, over_stdio(port) as piped:
        ways = {"today": over_http(today, TODAY), "before": over_http(before, BEFORE), "stdio": piped}
        stored = ways["today"]("emit_event", EVENT)["id"]
        event = rest.get(f"/api/events/{stored}")
        assert all(call("read_event", {"id": stored}) == event for call in ways.values())
        read = in_turn(sides(lambda: rest.get(f"/api/events/{stored}"), ways, "read_event", {"id": stored}), rounds)
        emitted = in_turn(sides(lambda: rest.post("/api/events", EVENT), ways, "emit_event", EVENT), rounds)
    for way, name in (("today", f"at /mcp ({TODAY})"), ("before", f"at /mcp ({BEFORE})"), ("stdio", "over stdio")):
        for times, what, other in ((read, "read_event", "GET"), (emitted, "emit_event", "POST")):
            detail = f"{milliseconds(times, way)}, REST {milliseconds(times, 'rest')}"
            report.add(f"{what} {name} / the same {other} (latency)", ratio(times, way, "rest"), "at most 5", detail)
