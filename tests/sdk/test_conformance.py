"""The cases that every SDK runs, see `contract/conformance/README.md`."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest
from semp_sdk import Backoff, Client, SempError, SignalUpdate
from semp_sdk import stream as stream_module
from semp_sdk.transport import base_of
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.waiting import until

from .conftest import WITHIN, listening

CASES = Path(__file__).parents[2] / "contract" / "conformance"
FASTER = 2_000
"""Times that waits are shorter in these tests than they are recorded, and patience with them."""
SIGNAL = {"id": "i", "scope": "s", "pattern": "x", "strength": 0.5, "last_updated": "x", "alpha": 1.2, "lambda": 0.95}


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case.get("name", case.get("given"))) for case in json.loads((CASES / f"{name}.json").read_text())]


def identity(number: int) -> str:
    return str(uuid.UUID(int=number))


def stored(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": identity(number), "type": "ready", "scope": "s", "trace_id": "t", "agent_id": "a", "parent_ids": [],
        "timestamp": "2025-01-15T10:30:00.000Z", "payload": {"status": "x"}, "position": number, **fields,
    }  # fmt: skip


def whole(value: Any) -> Any:
    """The value with its shorthands written out."""
    match value:
        case {"$id": number}:
            return identity(number)
        case {"$event": number, **fields}:
            return stored(number, **whole(fields))
        case {"$signal": pattern, **fields}:
            return {**SIGNAL, "pattern": pattern, **whole(fields)}
        case dict():
            return {key: whole(item) for key, item in cast("dict[str, Any]", value).items()}
        case list():
            return [whole(item) for item in cast("list[Any]", value)]
        case _:
            return value


def says(found: Any, expected: Any) -> bool:
    """Whether what was found says what was expected, and perhaps more."""
    if isinstance(expected, dict):
        fields = cast("dict[str, Any]", expected)
        return isinstance(found, dict) and all(key in found and says(found[key], item) for key, item in fields.items())
    if isinstance(expected, list):
        items = cast("list[Any]", expected)
        return isinstance(found, list) and len(cast("list[Any]", found)) == len(items) and all(map(says, cast("list[Any]", found), items))
    return found == expected


def target(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """A request as its decoded path segments and its parameters."""
    found = urlsplit(text)
    return [unquote(part) for part in found.path.split("/")], parse_qs(found.query)


def fails(error: BaseException | None, expected: dict[str, Any]) -> None:
    assert type(error).__name__ == expected["error"], error
    assert expected.get("message", "") in str(error)
    if "errors" in expected:
        assert [field.field for field in getattr(error, "errors", [])] == expected["errors"]


class Recorder:
    """Delays of a `Backoff` without jitter, written down and then made short."""

    def __init__(self, first: float, most: float) -> None:
        self.waits: list[float] = []
        self._usual = Backoff(first, most, jitter=0)

    def delays(self) -> Iterator[float]:
        for delay in self._usual.delays():
            yield self.spread(delay)

    def spread(self, delay: float) -> float:
        self.waits.append(delay)
        return delay / FASTER


class Scripted:
    """A service that gives a case's answers, one a request, whatever is asked."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = list(answers)
        self.may_answer = asyncio.Event()
        """While this is not set, requests are read and no answer is sent."""
        self.may_answer.set()
        self.asked: list[str] = []
        self.bodies: list[Any] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        self.asked.append(head.split(" HTTP/")[0])
        self.bodies.append(json.loads(body) if body else None)
        answer = self.answers.pop(0) if self.answers else {"status": 500, "body": "no more was expected"}
        await self.may_answer.wait()
        if answer == "silent":
            await asyncio.Event().wait()  # never set; cancelled at the end of the test
        elif answer == "lost":
            writer.transport.abort()
        else:
            writer.write(self._render({"status": 201, "body": self._stored(self.bodies[-1])} if answer == "stored" else answer))

    def _stored(self, sent: Any) -> Any:
        many = cast("list[dict[str, Any]]", sent if isinstance(sent, list) else [sent])
        found: list[dict[str, Any]] = [{**stored(0), **event, "position": place, "signals": []} for place, event in enumerate(many, 1)]
        return found if isinstance(sent, list) else found[0]

    def _render(self, answer: dict[str, Any]) -> bytes:
        given = whole(answer["body"])
        body = (given if isinstance(given, str) else json.dumps(given)).encode()
        lines = [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
        head = "\r\n".join([f"HTTP/1.1 {answer.get('status', 200)} x", "connection: close", f"content-length: {len(body)}", *lines])
        return f"{head}\r\n\r\n".encode() + body


@asynccontextmanager
async def asking(case: dict[str, Any], service: Scripted) -> AsyncGenerator[tuple[Client, Recorder]]:
    recorder = Recorder(0.1, 10)
    async with listening(service.handle) as url, Client(url, patience=case.get("patience", 60), timeout=case.get("timeout", 30)) as client:
        client._transport.backoff = recorder  # type: ignore[assignment]
        yield client, recorder


@pytest.mark.parametrize("case", cases("addresses"))
def test_addresses(case: dict[str, Any]) -> None:
    if case["base"] is None:
        with pytest.raises(ValueError, match="address"):
            base_of(case["given"])
    else:
        assert base_of(case["given"]) == case["base"]


@pytest.mark.parametrize("case", cases("requests"))
async def test_requests(case: dict[str, Any]) -> None:
    service = Scripted(case["answers"])
    found: Any = None
    error: BaseException | None = None
    async with asking(case, service) as (client, recorder):
        try:
            asked = getattr(client, case["call"])(*whole(case.get("of", [])), **whole(case.get("with", {})))
            found = [item async for item in asked] if case.get("each") else await asked
        except SempError as raised:
            error = raised
    assert [target(line) for line in service.asked] == [target(line) for line in case["asked"]]
    if "bodies" in case:
        assert says(service.bodies, whole(case["bodies"])), service.bodies
    assert recorder.waits == pytest.approx(case["waits"])
    if "fails" in case:
        fails(error, case["fails"])
    else:
        assert error is None
        assert says(msgspec.to_builtins(found), whole(case["gives"])), found


@pytest.mark.parametrize("case", cases("batches"))
async def test_batches(case: dict[str, Any]) -> None:
    service = Scripted(case["answers"])
    in_waves = len(case["waves"]) > 1
    if in_waves:
        service.may_answer.clear()
    emits: dict[int, asyncio.Task[Any]] = {}
    async with asking(case, service) as (client, recorder):
        batcher = client._batcher  # pyright: ignore[reportPrivateUsage]
        for wave in case["waves"]:
            for event in wave:
                fields = stored(event) if isinstance(event, int) else whole(event)
                said = {name: fields[name] for name in ("id", "type", "scope", "payload", "trace_id", "agent_id", "parent_ids")}
                emits[fields["position"]] = asyncio.create_task(client.emit(**said))
            if in_waves:  # the next wave comes when the first request has arrived and all later events are queued
                await until(lambda: len(service.asked) == 1 and batcher._held == len(emits))  # pyright: ignore[reportPrivateUsage]
        service.may_answer.set()
        answers = await asyncio.gather(*emits.values(), return_exceptions=True)
    requests: list[list[dict[str, Any]]] = [body if isinstance(body, list) else [body] for body in service.bodies]
    assert [[uuid.UUID(event["id"]).int for event in request] for request in requests] == case["sent"]
    assert recorder.waits == pytest.approx(case["waits"])
    for number, answer in zip(emits, answers, strict=True):
        expected = case.get("outcomes", {}).get(str(number))
        if expected is not None:
            fails(answer, expected)
        else:
            assert getattr(answer, "id", answer) == identity(number)


class Talking:
    """A service whose WebSocket says what a case wants, connection by connection."""

    def __init__(self, connections: list[list[Any]]) -> None:
        self.connections = connections
        self.asked: list[dict[str, list[str]]] = []

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        query = parse_qs(urlsplit(request.path).query)
        self.asked.append({name: values for name, values in query.items() if name not in ("v", "batch")})
        match self._steps()[0]:
            case {"status": status}:
                return connection.respond(status, "no")
            case _:
                return None

    async def handle(self, connection: ServerConnection) -> None:
        for step in self._steps():
            match step:
                case [*events]:
                    await self._send(connection, "events", data=[stored(one) if isinstance(one, int) else whole(one) for one in events])
                case {"hello": position, "epoch": epoch}:
                    await self._send(connection, "hello", epoch=epoch, position=position)
                case {"signals": moved}:
                    for position, pattern in moved:
                        await self._send(connection, "signal", data={**SIGNAL, "pattern": pattern, "position": position})
                case {"close": code}:
                    await connection.close(code, step.get("reason", ""))
                case "cut":
                    connection.transport.write(b"\x81\x7e\x10\x00" + b'{"type":"event","data":{"id')
                    assert not connection.transport.get_write_buffer_size(), "abort() would drop what the socket did not take yet"
                    connection.transport.abort()
                case "garbage":
                    await connection.send("{")
                case "silent":
                    pass
                case unknown:
                    raise AssertionError(f"no step of a stream: {unknown}")
        await connection.wait_closed()

    def _steps(self) -> list[Any]:
        return self.connections[len(self.asked) - 1] if len(self.asked) <= len(self.connections) else [{"status": 500}]

    async def _send(self, connection: ServerConnection, kind: str, **fields: Any) -> None:
        await connection.send(json.dumps({"type": kind, **fields}))


@pytest.mark.parametrize("case", cases("streams"))
async def test_streams(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "QUIET", case.get("quiet", 20) / 2)  # it asks once, and waits as long again
    service = Talking(case["connections"])
    recorder = Recorder(1, 30)
    found: list[Any] = []
    error: BaseException | None = None
    async with serve(service.handle, "127.0.0.1", 0, compression=None, process_request=service.refuse) as server:
        host, port = next(iter(server.sockets)).getsockname()
        async with Client(f"http://{host}:{port}") as client:
            options: dict[str, Any] = case.get("options", {})
            stream = cast("Any", client.stream(**options))
            stream._backoff, stream._delays = recorder, recorder.delays()
            try:
                async with asyncio.timeout(WITHIN):
                    while len(found) < len(case["gives"]) or "fails" in case:
                        found.append(await anext(stream))
            except SempError as raised:
                error = raised
            place = stream.position, stream.epoch
            await stream.close()
    assert [[item.position, item.pattern] if isinstance(item, SignalUpdate) else item.position for item in found] == case["gives"]
    assert service.asked == case["asked"]
    assert recorder.waits == pytest.approx(case["waits"])
    if "ends" in case:
        assert place == (case["ends"]["position"], case["ends"]["epoch"])
    if "fails" in case:
        fails(error, case["fails"])
    else:
        assert error is None
