"""The cost of subscribers: many filters, idle connections, a long resume, a reader that stops reading."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

import httpx
import msgspec
import psutil
from semp.domain.events import Event, new_id
from semp.domain.interests import Interest
from semp.engine.live.hub import End, Hub, Span, Subscription
from semp.engine.records import Entry
from semp.storage import queries
from websockets.sync.client import connect

from benchmarks import bare
from benchmarks.delivery import built, follow
from benchmarks.ingest import BATCH, ingest, prepared
from benchmarks.report import Report, median
from benchmarks.servers import running

IDLE = 10_000


class Nowhere:
    """A sink that accepts everything and sends nothing."""

    form = "nothing"

    def render(self, span: Span) -> bytes:
        return b"x" if span.entries else b""

    def send(self, rendered: bytes) -> int:
        return len(rendered)

    def finish(self, rest: bytes) -> None: ...

    def end(self, why: End, position: int) -> None: ...


def filters(report: Report, rounds: int = 7, events: int = 5_000) -> None:
    """Compare the time of publishing with 10,000 and with 10 different scope filters. Each event matches the filter of one subscriber."""

    async def publish(count: int) -> float:
        hub = Hub(0)
        for number in range(count):
            hub.attach(Subscription(Nowhere(), Interest.of([f"project.mod{number}.**"])), 0)
        entries: list[Entry] = []
        for position in range(1, events + 1):
            event = Event(new_id(), "proposal", f"project.mod{position % count}.x", "t", "a", [], "", msgspec.Raw(b"{}"), position)
            entries.append(Entry(event, None, (), 0, None, 0.0, None, b"x" * 300))
        began = time.perf_counter()
        for entry in entries:
            hub.publish([entry])
            await asyncio.sleep(0)
        return (time.perf_counter() - began) / events

    pairs = [(asyncio.run(publish(10_000)), asyncio.run(publish(10))) for _ in range(rounds)]
    many, few = (1e6 * median([pair[side] for pair in pairs]) for side in (0, 1))
    ratio = median([a / b for a, b in pairs])
    report.add("publishing with 10,000 different filters / with 10", ratio, "at most 1.5", f"{many:.1f} us an event, {few:.1f} us")


def idle(report: Report) -> None:
    """Measure the memory of the service per idle connection, in KiB."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as home, running("none") as port:
        if not built(Path(home)):
            return
        [service] = [one for one in psutil.Process().children() if str(port) in one.cmdline()]
        url = f"ws://127.0.0.1:{port}/ws"
        follow(Path(home), url, 100, 0.5)
        before = service.memory_info().rss
        command = [f"{home}/load", "-url", url, "-n", str(IDLE), "-seconds", "3", "-warm", "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as load:
            most = before
            while load.poll() is None:
                most = max(most, service.memory_info().rss)
                time.sleep(0.1)
            assert load.stdout is not None
            assert not json.loads(load.stdout.read())["failed"]
    each = (most - before) / IDLE / 1024
    report.add(f"memory of {IDLE:,} idle connections, KiB each", each, "at most 40", f"{(most - before) / 2**20:.0f} MiB")


def resume(report: Report, count: int = 100_000, rounds: int = 3) -> None:
    """Compare a client that resumes after `count` missed events with the bare driver reading the same rows, in turn."""
    text = cast("LiteralString", queries.load()["page_by_position"].text)
    every: dict[str, Any] = {"types": None, "pattern": None, "traces": None, "agents": None, "falling": [0, 0]}
    service_rates: list[float] = []
    bare_rates: list[float] = []
    with running("neo4j") as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client, bare.connect() as driver:
        ingest(client, prepared(bare.Events(5, growing=True), count // BATCH))
        for _ in range(rounds):
            began = time.perf_counter()
            with connect(f"ws://127.0.0.1:{port}/ws?after=0&batch=1", max_size=None, compression=None) as reader:
                position = 0
                while position < count:
                    position = msgspec.json.decode(reader.recv())["data"][-1]["position"]
            service_rates.append(count / (time.perf_counter() - began))
            began = time.perf_counter()
            position = 0
            with driver.session() as session:
                while position < count:
                    rows = session.run(text, {**every, "rising": [position, 2**62], "limit": 2_000}).values()
                    position = rows[-1][8]
            bare_rates.append(count / (time.perf_counter() - began))
    ratio = median([a / b for a, b in zip(service_rates, bare_rates, strict=True)])
    detail = f"{median(service_rates):,.0f}/s, bare {median(bare_rates):,.0f}/s"
    report.add(f"resume over {count:,} missed events / bare driver reading them", ratio, "at least 0.5", detail)


@contextmanager
def frozen(port: int) -> Generator[None]:
    """A subscriber that reads nothing after its handshake, for the duration of a block."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        key = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
        peer.sendall(b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" + key + b"\r\n")
        yield


def whole_service(report: Report, rounds: int = 3, rate: float = 100.0) -> None:
    """Time from the arrival of a POST until the last of 500 subscribers has the event, with and without another one that reads nothing."""
    with tempfile.TemporaryDirectory() as home, running("neo4j") as port:
        binaries = Path(home)
        if not built(binaries):
            return
        stop = threading.Event()
        poster = threading.Thread(target=_post, args=(port, rate, stop))
        poster.start()
        try:
            time.sleep(20)  # warm up: Java compiles the hot code
            pairs = [(_last99(binaries, port), _frozen99(binaries, port)) for _ in range(rounds)]
        finally:
            stop.set()
            poster.join()
    without, with_frozen = (median([pair[side] for pair in pairs]) for side in (0, 1))
    name = "POST to the last of 500 subscribers, p99: with a frozen one / without"
    report.add(name, median([b / a for a, b in pairs]), "below 1.2", f"{with_frozen:.1f} ms, {without:.1f} ms at {rate:.0f} events/s")


def _post(port: int, rate: float, stop: threading.Event) -> None:
    """Post `rate` events per second until `stop` is set."""
    event: dict[str, Any] = {"type": "proposal", "scope": "a", "trace_id": "t", "agent_id": "a"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        due = time.perf_counter()
        while not stop.is_set():
            due += 1 / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            client.post("/api/events", json={**event, "payload": {"action": "x", "sent": time.time() * 1000}}).raise_for_status()


def _last99(binaries: Path, port: int) -> float:
    """Milliseconds until 99 % of the events had reached the last of 500 subscribers."""
    command = [str(binaries / "load"), "-url", f"ws://127.0.0.1:{port}/ws", "-n", "500", "-seconds", "8", "-every"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["last99"]


def _frozen99(binaries: Path, port: int) -> float:
    with frozen(port):
        return _last99(binaries, port)
