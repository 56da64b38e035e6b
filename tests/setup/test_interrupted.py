"""Ctrl-C while Neo4j is downloaded ends the service at once and leaves no partial file. Too little disk space is an error at the start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded import EmbeddedNeo4j, EmbeddedNeo4jError, space


class Hanging(BaseHTTPRequestHandler):
    """A repository that reads requests and never answers them."""

    asked = threading.Event()
    done = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.done.wait(120)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def repository() -> Iterator[str]:
    Hanging.asked.clear()
    Hanging.done.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Hanging.done.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_download_can_be_interrupted(tmp_path: Path, repository: str, how: signal.Signals) -> None:
    environment = {**os.environ, "SEMP_CACHE": str(tmp_path / "cache"), "SEMP_REPOSITORY": repository, "SEMP_DATA": str(tmp_path / "data")}
    line = [sys.executable, "-m", "semp", "serve", "--port", "0"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
    assert Hanging.asked.wait(60), (tmp_path / "log").read_text()
    process.send_signal(how)
    process.wait(20)  # it must not wait for the download, whose three attempts take 10 s each
    output = (tmp_path / "log").read_text()
    assert output.rstrip().endswith("stopped")
    assert "Traceback" not in output
    assert not list((tmp_path / "cache").glob("maven/**/*.jar"))
    assert not list((tmp_path / "cache").glob("verified-*"))


async def test_too_little_space_is_an_error_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "NEW_DATA", 10**18)
    monkeypatch.setattr("semp.storage.neo4j.embedded.server.NEW_DATA", 10**18)
    neo4j = EmbeddedNeo4j(tmp_path / "home")
    with pytest.raises(EmbeddedNeo4jError, match=r"the disk of .*home is full: .* MB are free, a new database needs .*SEMP_DATA"):
        await neo4j.start()
    assert not list((tmp_path / "home").glob("data/**/neostore*"))
