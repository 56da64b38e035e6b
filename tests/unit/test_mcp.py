"""Parts of the MCP server without a service: which resource a URI names, and requests to an ASGI application without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from semp.domain.errors import InvalidInput
from semp.mcp.resources import resource, signal_uri, trace_uri
from semp.mcp.within import Within


@pytest.mark.parametrize("name", ["plain", "a/b", "a b", "ä%", "?#", "*", "."])
def test_a_name_survives_its_uri(name: str) -> None:
    assert resource(signal_uri("ui.login", name)).pattern == name
    assert resource(trace_uri(name)).stream == {"trace_id": name}


def test_a_signal_is_changed_by_its_own_moves_alone() -> None:
    one = resource("semp://signals/ui/x")
    assert one.changed_by({"type": "signal", "data": {"pattern": "x"}})
    assert not one.changed_by({"type": "signal", "data": {"pattern": "y"}})
    assert not one.changed_by({"type": "event", "data": {"payload": {"action": "x"}}})
    assert resource("semp://signals/ui").changed_by({"type": "signal", "data": {"pattern": "y"}})
    assert resource("semp://traces/t").changed_by({"type": "event", "data": {}})


@pytest.mark.parametrize(
    "uri", ["", "semp://", "semp://x", "semp://signals/", "semp://signals/a/b/c", "semp://traces/t/graph", "SEMP://signals"]
)
def test_an_unknown_uri_is_refused(uri: str) -> None:
    with pytest.raises(InvalidInput, match="uri"):
        resource(uri)


class Application:
    """Sends pieces until its reader leaves."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = "not yet"
        self.hangs = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.answer(scope, receive, send)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "by itself"

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        if scope["path"] == "/fails":
            raise ValueError("no")
        if scope["path"] == "/hangs":
            self.hangs.set()
            await asyncio.Event().wait()
        if scope["path"] == "/silent":
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["raw_path"])]})
        leaving = asyncio.ensure_future(receive())
        await send({"type": "http.response.body", "body": body, "more_body": True})
        while scope["path"] == "/endless" and not leaving.done():
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            self.sent += 1
            await asyncio.sleep(0)
        leaving.cancel()


async def test_an_answer_passes_as_it_is() -> None:
    async with httpx.AsyncClient(transport=Within(Application()), base_url="http://semp") as client:
        answer = await client.post("/a%2Fb", content=b"body")
        assert (answer.status_code, answer.content, answer.headers["x-path"]) == (200, b"body", "/a%2Fb")


async def test_an_application_waits_for_its_reader_and_ends_when_that_leaves() -> None:
    application = Application()
    async with (
        httpx.AsyncClient(transport=Within(application), base_url="http://semp") as client,
        client.stream("GET", "/endless") as answer,
    ):
        pieces = answer.aiter_raw()
        for _ in range(3):
            await anext(pieces)
        for _ in range(50):
            await asyncio.sleep(0)
        assert application.sent < 6
    assert application.ended == "by itself"


async def test_a_request_given_up_before_its_answer_is_cancelled() -> None:
    application = Application()
    async with httpx.AsyncClient(transport=Within(application), base_url="http://semp") as client:
        request = asyncio.create_task(client.get("/hangs"))
        await application.hangs.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    await asyncio.sleep(0)
    assert application.ended == "cancelled"


@pytest.mark.parametrize(("path", "error"), [("/fails", ValueError), ("/silent", RuntimeError)])
async def test_a_failure_before_the_answer_is_raised(path: str, error: type[Exception]) -> None:
    async with httpx.AsyncClient(transport=Within(Application()), base_url="http://semp") as client:
        with pytest.raises(error):
            await client.get(path)
