"""What tests of connectors share. They run in the environment of one framework, against the service that SEMP_URL names."""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest
from semp_sdk.connectors import Recording

# CrewAI reads these when it is imported.
os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_STORAGE_DIR": tempfile.mkdtemp(prefix="semp-crewai-"),
}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def url() -> str:
    """Where the service is."""
    return os.environ["SEMP_URL"]


class Stored:
    """The events of a trace as the service has them, oldest first, with what tests ask of them."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events
        self.by_id = {event["id"]: event for event in events}

    def of(self, type: str, action: str | None = None) -> list[dict[str, Any]]:
        """Those of a type and, where one is given, an action."""
        return [event for event in self.events if event["type"] == type and action in (None, event["payload"].get("action"))]

    def one(self, type: str, action: str | None = None) -> dict[str, Any]:
        """The only one."""
        [found] = self.of(type, action)
        return found

    def parents(self, event: dict[str, Any]) -> list[tuple[str, str | None]]:
        """Type and action of each of its causes."""
        found = [self.by_id[parent] for parent in event["parent_ids"]]
        return [(parent["type"], parent["payload"].get("action")) for parent in found]

    def causes(self, event: dict[str, Any]) -> set[str]:
        """Ids of everything that led to it."""
        found: set[str] = set()
        waiting = list(event["parent_ids"])
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting += self.by_id[parent]["parent_ids"] if parent in self.by_id else []
        return found


def get(url: str, path: str, **query: Any) -> Any:
    """The service's answer to a GET."""
    with urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def stored(recording: Recording) -> Stored:
    """What was told so far."""
    assert recording.flush(30), "the service did not answer in time"
    return trace_of(recording.url, recording.trace_id)


def trace_of(url: str, trace_id: str) -> Stored:
    """A trace as the service has it now."""
    return Stored(get(url, "/api/events", trace_id=trace_id, order="asc", limit=1000))


def eventually(holds: Any, within: float = 30.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
