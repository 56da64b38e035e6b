"""Internals of uvicorn that the service uses: a release that changes them fails here, not in production."""

from __future__ import annotations

import inspect

import uvicorn
from semp.api.http_protocol import HttpProtocol
from semp.api.live.wire import LiveProtocol
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


def test_every_overridden_method_exists() -> None:
    for override, base in ((HttpProtocol, HttpToolsProtocol), (LiveProtocol, WebSocketsSansIOProtocol)):
        own = {name for name, value in vars(override).items() if inspect.isfunction(value) and not name.startswith("_")}
        added = {"send_now", "write", "close", "open"}
        assert own - added <= set(dir(base))
        for name in own - added:
            assert list(inspect.signature(getattr(override, name)).parameters) == list(inspect.signature(getattr(base, name)).parameters)


def test_every_used_attribute_exists() -> None:
    source = inspect.getsource(HttpToolsProtocol) + inspect.getsource(FlowControl) + inspect.getsource(WebSocketsSansIOProtocol)
    for name in ("parser", "url", "headers", "logger", "queue", "conn", "close_sent", "close_timer", "read_paused", "transport",
                 "handshake_complete", "frames", "curr_msg_data_type", "pong_timer", "pending_ping_payload", "scope",
                 "flow", "cycle", "pipeline", "timeout_keep_alive", "timeout_keep_alive_task"):  # fmt: skip
        assert f"self.{name}" in source
    for name in (
        "_should_upgrade",
        "_unset_keepalive_if_required",
        "send_400_response",
        "handle_websocket_upgrade",
        "handle_parser_exception",
        "stop_keepalive",
        "_start_asgi_task",
        "resume_reading",
    ):
        assert f"def {name}" in source


def test_the_installed_version_was_tested() -> None:
    assert uvicorn.__version__.split(".")[:2] == ["0", "54"]
