"""The Model Context Protocol: the official client, over both transports and both generations of the protocol, on the real service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError
from semp.mcp.subscriptions import PACE

from tests.conftest import Service, free_port, start_service
from tests.mcp_client import Way, call, connected, refused, subscribe, text_of, unsubscribe
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

WAYS = [(transport, mode) for transport in ("http", "stdio") for mode in ("2026-07-28", "legacy")]
ways = pytest.mark.parametrize("way", WAYS, ids="-".join)
transports = pytest.mark.parametrize("way", [("http", "auto"), ("stdio", "auto")], ids="-".join)
NO_EVENT = "0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10"


def event(kind: str = "proposal", **changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = {"action": "improve_ux"} if kind == "proposal" else {"value": 0.5}
    return {"type": kind, "scope": "ui.login", "trace_id": "t", "agent_id": "designer", "payload": payload, **changes}


def subscribers(url: str) -> int:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return int(float(next(line for line in lines if line.startswith("semp_subscribers")).split()[-1]))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in memory, for what does not depend on the storage."""
    running = start_service(tmp_path_factory.mktemp("quick") / "log", "--memory")
    yield running
    assert running.stop() == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()


# tools


@ways
async def test_a_tool_answers_what_the_rest_api_answers(service: Service, way: Way) -> None:
    trace, scope = str(uuid.uuid4()), f"ui.{'_'.join(way)}"
    async with connected(service.url, way) as client:
        cause = await call(client, "emit_event", **event(scope=scope, trace_id=trace))
        effect = await call(client, "emit_event", **event("reward", scope=scope, trace_id=trace, parent_ids=[cause["id"]]))
        assert effect["signals"][0]["after"] == pytest.approx(0.9, abs=0.01)

        def rest(path: str, **query: Any) -> Any:
            return service.client.get(path, params=query).json()

        assert await call(client, "read_event", id=effect["id"]) == rest(f"/api/events/{effect['id']}")
        assert await call(client, "read_events", trace_id=trace) == {"events": rest("/api/events", trace_id=trace)}
        assert await call(client, "read_trace", trace_id=trace) == rest(f"/api/traces/{trace}")
        assert (await call(client, "read_traces", limit=1))["traces"] == rest("/api/traces", limit=1)
        for direction in ("ancestors", "descendants", "lineage", "roots", "impact"):
            found = await call(client, "read_lineage", id=cause["id"], direction=direction, payload=True)
            assert found == rest(f"/api/events/{cause['id']}/{direction}", payload=1)
        both = {"from": cause["id"], "to": effect["id"]}
        assert await call(client, "find_paths", **both) == rest("/api/paths", **both)
        assert (await call(client, "find_paths", **both))["shortest"] == [cause["id"], effect["id"]]
        ids = [cause["id"], effect["id"]]
        assert await call(client, "find_common_causes", ids=ids) == rest("/api/common-causes", ids=",".join(ids))
        past = {"at": effect["position"]}
        why = await call(client, "explain_signal", scope=scope, pattern="improve_ux", order="asc", **past)
        assert why == rest(f"/api/signals/{scope}/improve_ux/explain", **past)
        assert await call(client, "read_signals", scope=scope, **past) == {"signals": rest("/api/signals", scope=scope, **past)}


@ways
async def test_tools_say_what_they_are_to_every_client(quick: Service, way: Way) -> None:
    async with connected(quick.url, way) as client:
        assert "read_signals" in (client.instructions or "") or way[1] == "2026-07-28"
        tools = {one.name: one for one in (await client.list_tools()).tools}
    assert list(tools) == [
        "emit_event", "read_signals", "wait_for_signal", "explain_signal", "read_events", "read_event", "read_traces", "read_trace",
        "read_lineage", "find_paths", "find_common_causes",
    ]  # fmt: skip
    for one in tools.values():
        assert one.title
        assert one.description
        assert len(one.description) < 500
        for schema in (one.input_schema, one.output_schema or {}):
            assert schema["type"] == "object"
            jsonschema.Draft202012Validator.check_schema(schema)
            assert "(?" not in json.dumps(schema), "regular expressions that every client can read"
        assert one.input_schema["additionalProperties"] is False
        assert one.annotations is not None
        assert one.annotations.read_only_hint is (one.name != "emit_event")
        assert one.annotations.destructive_hint is False


async def test_both_transports_offer_the_same(quick: Service) -> None:
    offered: list[str] = []
    for way in WAYS:
        async with connected(quick.url, way) as client:
            offered.append(json.dumps((await client.list_tools()).model_dump(include={"tools"}), sort_keys=True))
    assert len(set(offered)) == 1


BAD: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("emit_event", {}, 400, "type"),
    ("emit_event", event(type="nonsense"), 400, "type"),
    ("emit_event", event(scope="no good"), 400, "scope"),
    ("emit_event", event(payload={}), 400, "payload.action"),
    ("emit_event", event("reward", payload={"value": 7}), 400, "payload.value"),
    ("emit_event", event(payload="text"), 400, "payload"),
    ("emit_event", event(parent_ids=[NO_EVENT]), 400, "parent_ids[0]"),
    ("emit_event", event(parents=[NO_EVENT]), 400, "parents"),
    ("emit_event", event(payload={"action": "x", "big": "x" * 300_000}), 413, "payload"),
    ("read_signals", {"limit": 0}, 400, "limit"),
    ("read_signals", {"scope": "a..b"}, 400, "scope"),
    ("read_signals", {"at": "yesterday"}, 400, "at"),
    ("wait_for_signal", {"scope": "ui", "timeout": 3600}, 400, "timeout"),
    ("wait_for_signal", {"scope": "a..b", "timeout": 1}, 400, "scope"),
    ("wait_for_signal", {"scope": None}, 400, "scope"),
    ("explain_signal", {"scope": "ui", "pattern": "never/was"}, 404, None),
    ("read_events", {"type": ["nonsense"]}, 400, "type[0]"),
    ("read_event", {"id": NO_EVENT}, 404, None),
    ("read_trace", {"trace_id": "nöne?"}, 404, None),
    ("read_lineage", {"id": NO_EVENT}, 404, None),
    ("read_lineage", {"id": "x"}, 400, "id"),
    ("read_lineage", {"id": NO_EVENT, "cursor": "x"}, 400, "cursor"),
    ("find_common_causes", {"ids": []}, 400, "ids"),
    ("no_such_tool", {}, 404, None),
]


@ways
async def test_what_is_wrong_with_a_call_is_told_so_that_a_model_can_mend_it(quick: Service, way: Way) -> None:
    async with connected(quick.url, way) as client:
        for name, arguments, status, field in BAD:
            found = await refused(client, name, **arguments)
            assert found["status"] == status, (name, found)
            assert found["message"]
            if field is not None:
                assert found["errors"][0]["field"] == field, (name, found)
                assert found["errors"][0]["reason"]
        assert await call(client, "read_signals", scope="nothing.here") == {"signals": []}


@transports
async def test_arguments_as_models_write_them_are_understood(quick: Service, way: Way) -> None:
    trace = f"pages ä? {way[0]}"
    async with connected(quick.url, way) as client:
        for number in range(3):
            await call(client, "emit_event", **event(trace_id=trace, agent_id=str(number), parent_ids=None))
        first = await call(client, "read_events", trace_id=trace, limit="2", before=None)
        second = await call(client, "read_events", trace_id=trace, limit=2, **first["next"])
        assert [one["agent_id"] for one in first["events"] + second["events"]] == ["2", "1", "0"]
        assert (await call(client, "read_trace", trace_id=trace))["events"] == 3
        pages = [first["events"][0]["id"]]
        for _ in range(2):
            pages.append((await call(client, "emit_event", **event(parent_ids=[pages[-1]])))["id"])
        page = await call(client, "read_lineage", id=pages[-1], limit=1)
        assert page["truncated"]
        assert (await call(client, "read_lineage", id=pages[-1], limit=1, **page["next"]))["nodes"][0]["id"] == pages[0]


@transports
async def test_a_repeated_id_is_stored_once(quick: Service, way: Way) -> None:
    mine = str(uuid.uuid4())
    async with connected(quick.url, way) as client:
        first = await call(client, "emit_event", **event(id=mine))
        again = await call(client, "emit_event", **event(id=mine))
        assert (first["position"], again["signals"]) == (again["position"], [])
        assert (await refused(client, "emit_event", **event(id=mine, agent_id="another")))["status"] == 409


# waiting


@ways
async def test_waiting_ends_with_the_signal_or_in_time(quick: Service, way: Way) -> None:
    scope = f"wait.{'_'.join(way)}.a"
    async with connected(quick.url, way) as client:
        began = time.monotonic()
        assert await call(client, "wait_for_signal", scope=scope, timeout=0.5) == {"signals": [], "reached": False}
        assert 0.5 <= time.monotonic() - began < 5
        quick.client.post("/api/events", json=event(scope=scope))
        waiting = asyncio.create_task(
            call(client, "wait_for_signal", scope=f"{scope[:-2]}.**", pattern="improve_ux", min_strength=0.8, timeout=20)
        )
        await until(lambda: subscribers(quick.url) == 1)
        quick.client.post("/api/events", json=event("reward", scope=scope))
        found = await asyncio.wait_for(waiting, 10)
        assert found["reached"]
        assert found["signals"][0]["scope"] == scope
        await until(lambda: subscribers(quick.url) == 0)
        weak = await call(client, "wait_for_signal", scope=scope, min_strength=1, timeout=0.1)
        assert (weak["reached"], len(weak["signals"])) == (False, 1)


@ways
async def test_a_wait_that_is_given_up_leaves_nothing_behind(quick: Service, way: Way) -> None:
    async with connected(quick.url, way) as client:
        waiting = asyncio.create_task(client.call_tool("wait_for_signal", {"scope": "never", "timeout": 50}))
        await until(lambda: subscribers(quick.url) == 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: subscribers(quick.url) == 0)
        assert await call(client, "read_signals", scope="never") == {"signals": []}


# resources


@ways
async def test_resources_are_signals_and_traces(quick: Service, way: Way) -> None:
    quick.client.post("/api/events", json=event(scope="res.a", trace_id="res 1", payload={"action": "do it/now"}))
    async with connected(quick.url, way) as client:
        listed = {one.uri for one in (await client.list_resources()).resources}
        assert {"semp://signals", "semp://traces", "semp://signals/res.a/do%20it%2Fnow", "semp://traces/res%201"} <= listed
        templates = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        assert templates == {
            "semp://signals/{scope}", "semp://signals/{scope}/{pattern}", "semp://traces/{trace_id}", "semp://traces/{trace_id}/events",
        }  # fmt: skip

        async def read(uri: str) -> Any:
            [content] = (await client.read_resource(uri)).contents
            assert content.mime_type == "application/json"
            assert isinstance(content, types.TextResourceContents)
            return json.loads(content.text)

        assert (await read("semp://signals/res.a/do%20it%2Fnow"))["pattern"] == "do it/now"
        assert [one["pattern"] for one in await read("semp://signals/res.**")] == ["do it/now"]
        assert (await read("semp://traces/res%201"))["trace_id"] == "res 1"
        assert [one["scope"] for one in await read("semp://traces/res%201/events")][-1] == "res.a"
        assert await read("semp://traces")
        assert await read("semp://signals")
        for uri in ("semp://nothing", "other://signals", "semp://traces/res%201/graph", "semp://signals/a..b", "semp://traces/none"):
            with pytest.raises(MCPError) as error:
                await client.read_resource(uri)
            assert error.value.code == types.INVALID_PARAMS, uri


# subscriptions


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_a_subscriber_is_told_of_what_changes_and_of_nothing_else(quick: Service, transport: str) -> None:
    heard: list[str] = []
    scope = f"sub.{transport}"
    one, other, trace = f"semp://signals/{scope}/improve_ux", f"semp://signals/{scope}/other", f"semp://traces/sub-{transport}"
    async with connected(quick.url, (transport, "legacy"), heard) as client:
        for uri in (one, other, trace, trace):
            await subscribe(client, uri)
        for uri in ("semp://nothing", "semp://signals/a..b"):
            with pytest.raises(MCPError) as error:
                await subscribe(client, uri)
            assert error.value.code == types.INVALID_PARAMS
        quick.client.post("/api/events", json=event(scope=scope))
        await until(lambda: heard == [one])
        quick.client.post("/api/events", json=event("reward", scope="sub.elsewhere", trace_id=f"sub-{transport}"))
        await until(lambda: heard == [one, trace])
        await unsubscribe(client, one)
        await unsubscribe(client, one)
        quick.client.post("/api/events", json=event(scope=scope, trace_id=f"sub-{transport}"))
        await until(lambda: heard == [one, trace, trace])
    await until(lambda: subscribers(quick.url) == 0)


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_a_listener_is_told_of_what_changes(quick: Service, transport: str) -> None:
    trace = f"semp://traces/listen-{transport}"
    async with connected(quick.url, (transport, "2026-07-28")) as client:
        for uris in (["semp://nothing"], [trace, "semp://signals/a..b"], [f"semp://traces/{n}" for n in range(101)]):
            with pytest.raises(MCPError) as error:
                async with client.listen(resource_subscriptions=uris):
                    pass
            assert error.value.code == types.INVALID_PARAMS
        async with client.listen(resource_subscriptions=[trace, "semp://signals"]) as listening:
            assert listening.honored.resource_subscriptions == [trace, "semp://signals"]
            quick.client.post("/api/events", json=event(trace_id=f"listen-{transport}"))
            told = {(await asyncio.wait_for(anext(listening), 10)).uri for _ in range(2)}  # type: ignore[union-attr]
            assert told == {trace, "semp://signals"}
            quick.client.post("/api/events", json=event("reward", trace_id=f"listen-{transport}"))
            assert (await asyncio.wait_for(anext(listening), 10)).uri in told  # type: ignore[union-attr]
        await until(lambda: subscribers(quick.url) == 0)


async def test_many_changes_are_few_notices_and_the_last_is_told(quick: Service) -> None:
    heard: list[str] = []
    async with connected(quick.url, ("http", "legacy"), heard) as client:
        await subscribe(client, "semp://traces/flood")

        def flood() -> None:
            for _ in range(20):
                quick.client.post("/api/events/batch", json=[event(trace_id="flood") for _ in range(100)])

        async def another_notice(noticed: int) -> int:
            await until(lambda: len(heard) > noticed)
            return len(heard)

        began = time.monotonic()
        flooding = asyncio.create_task(asyncio.to_thread(flood))
        noticed = events = 0
        while events < 2_000:  # ends only when a notice follows the last change, for the trace is read after notices alone
            noticed = await another_notice(noticed)
            events = (await call(client, "read_trace", trace_id="flood"))["events"]
        await flooding
        assert len(heard) <= 1 + (time.monotonic() - began) / PACE
        noticed = len(heard)
        quick.client.post("/api/events", json=event(trace_id="flood"))
        while events < 2_001:
            noticed = await another_notice(noticed)
            events = (await call(client, "read_trace", trace_id="flood"))["events"]


async def test_sessions_at_the_same_time_do_not_mix(quick: Service) -> None:
    async def work(number: int, way: Way) -> None:
        heard: list[str] = []
        trace = f"many-{number}"
        async with connected(quick.url, way, heard) as client:
            if way[1] == "legacy":
                await subscribe(client, f"semp://traces/{trace}")
            ids: list[str] = []
            for _ in range(5):
                ids.append((await call(client, "emit_event", **event(trace_id=trace, agent_id=trace, parent_ids=ids[-1:])))["id"])
            found = (await call(client, "read_events", trace_id=trace, order="asc"))["events"]
            assert [(one["id"], one["agent_id"]) for one in found] == [(one, trace) for one in ids]
            if way[1] == "legacy":
                await until(lambda: heard)
                assert set(heard) == {f"semp://traces/{trace}"}

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(work(number, ("http", "legacy" if number % 2 else "2026-07-28")))
        group.create_task(work(12, ("stdio", "legacy")))
    await until(lambda: subscribers(quick.url) == 0)


# the service stops, is away, comes back


async def test_the_service_stops_with_sessions_open(tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--memory")
    url = service.url
    async with (
        connected(url, ("http", "legacy")) as legacy,
        connected(url, ("http", "2026-07-28")) as client,
        client.listen(resource_subscriptions=["semp://signals"]) as listening,
    ):
        await subscribe(legacy, "semp://traces")
        waiting = asyncio.create_task(client.call_tool("wait_for_signal", {"scope": "never", "timeout": 50}))
        await until(lambda: subscribers(url) == 3)
        began = time.monotonic()
        assert await asyncio.to_thread(service.stop, signal.SIGTERM) == 0
        assert time.monotonic() - began < 8
        with pytest.raises(StopAsyncIteration):  # ended on purpose, not lost
            await asyncio.wait_for(anext(listening), 5)
        result = await asyncio.wait_for(waiting, 5)
        assert json.loads(text_of(result)) == {"status": 503, "message": "the service is stopping"}
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_over_stdio_a_service_that_is_away_is_an_answer_and_subscriptions_outlast_it(tmp_path: Path) -> None:
    heard: list[str] = []
    port = free_port()
    async with connected(f"http://127.0.0.1:{port}", ("stdio", "legacy"), heard) as client:
        found = await refused(client, "emit_event", **event())
        assert found["status"] == 503
        assert "semp serve" in found["message"]
        assert uuid.UUID(found["repeat_with"]["id"])
        with pytest.raises(MCPError):
            await client.read_resource("semp://signals")
        with pytest.raises(MCPError):
            await subscribe(client, "semp://signals")
        service = await asyncio.to_thread(start_service, tmp_path / "log", "--memory", port=port)
        await subscribe(client, "semp://signals")
        assert await asyncio.to_thread(service.stop) == 0
        assert (await refused(client, "read_signals"))["status"] == 503
        service = await asyncio.to_thread(start_service, tmp_path / "log", "--memory", port=port)
        await until(lambda: heard == ["semp://signals"], 40)  # it may have changed meanwhile
        service.client.post("/api/events", json=event())
        await until(lambda: heard == ["semp://signals", "semp://signals"])
        service.stop()


async def test_another_service_at_the_url_is_told() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, connected(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", ("stdio", "auto")) as client:
        assert "no SEL/SEMP service" in (await refused(client, "read_signals"))["message"]


# the transports


def initialize(**headers: str) -> dict[str, Any]:
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
    }  # fmt: skip
    return {"json": body, "headers": {"accept": "application/json, text/event-stream", **headers}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"origin": "http://127.0.0.1"}, 200),
        ({"origin": "http://[::1]:9"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://rebound.example", "host": "rebound.example"}, 421),
    ],
)
def test_pages_of_other_sites_are_refused(quick: Service, headers: dict[str, str], status: int) -> None:
    assert quick.client.post("/mcp", **initialize(**headers)).status_code == status
    modern = {"mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover"}
    again = quick.client.post("/mcp", **initialize(**headers, **modern)).status_code
    assert again == status if status != 200 else again not in (403, 421)


def test_what_is_no_message_is_refused_and_harms_nothing(quick: Service) -> None:
    accept = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    for version in ("2025-11-25", "2026-07-28"):
        headers = {**accept, "mcp-protocol-version": version}
        for body in (b"", b"{", b"[]", b"[1]", b"null", b'{"jsonrpc":"2.0"}', b"[" * 100_000, b"\xff"):
            assert quick.client.post("/mcp", content=body, headers=headers).status_code in (202, 400), (version, body[:20])
        assert quick.client.post("/mcp", content=b" " * (1024 * 1024 + 1), headers=headers).status_code == 413
    assert quick.client.get("/mcp").status_code in (400, 406)
    assert quick.client.put("/mcp").status_code in (400, 405, 415)
    assert quick.client.post("/mcp", **initialize(**{"mcp-session-id": "made-up"})).status_code == 404
    assert quick.client.post("/mcp", **initialize()).status_code == 200
    assert "Traceback" not in quick.log.read_text()


def test_over_stdio_what_is_no_message_harms_nothing_and_the_end_of_input_ends_it(quick: Service) -> None:
    lines = ["not json", "[]", '{"jsonrpc":"2.0"}', json.dumps(initialize()["json"])]
    done = subprocess.run(
        [sys.executable, "-m", "semp", "mcp", "--url", quick.url],
        input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[-1]["result"]["serverInfo"]["name"] == "semp"
    assert "Traceback" not in done.stderr


def test_nothing_of_the_protocol_is_loaded_before_there_is_a_client() -> None:
    code = "import sys, semp.cli, semp.main; sys.exit(any(name.split('.')[0] in ('mcp', 'mcp_types', 'pydantic') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ}).returncode == 0
