"""The embedded Neo4j as a real server: however it is killed, it leaves no orphan process and loses no committed data."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psutil
import pytest
from neo4j import GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError
from semp.domain.errors import StoreUnavailable
from semp.main import target_of
from semp.storage.neo4j.connection import Connection as StoreConnection
from semp.storage.neo4j.embedded import Connection, EmbeddedNeo4j, EmbeddedNeo4jError
from semp.storage.neo4j.embedded.child import can_listen

from tests.bolt_listener import HANDSHAKE_BYTES, bolt_listener
from tests.waiting import eventually

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
HOLDER = """
import asyncio, json, sys
from pathlib import Path
from semp.storage.neo4j.embedded import EmbeddedNeo4j
async def main():
    server = EmbeddedNeo4j(Path(sys.argv[1]), heap="512m", page_cache="128m")
    to = await server.start()
    print(json.dumps([to.uri, to.user, to.password, to.database, server.pid]), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def run(to: Connection, query: LiteralString, **parameters: Any) -> list[Any]:
    with GraphDatabase.driver(to.uri, auth=(to.user, to.password)) as driver:
        return [record[0] for record in driver.execute_query(query, parameters, database_=to.database).records]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


class Service:
    """Uses an EmbeddedNeo4j as the service does: on an event loop that keeps running, here in a thread of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.server = self.another()

    def another(self) -> EmbeddedNeo4j:
        return EmbeddedNeo4j(self.home, heap="512m", page_cache="128m")

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def start(self) -> Connection:
        return self.call(self.server.start())

    def stop(self) -> None:
        self.call(self.server.stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def connected(to: Connection) -> StoreConnection:
    """What the service runs its queries on; a coroutine, because it belongs to the event loop of the server."""
    return StoreConnection(target_of(to))


class Holder:
    """Another process that runs the server, so that a test can kill it. `java`: the process id of the server."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, cwd=ROOT, text=True)
        assert self.process.stdout is not None
        uri, user, password, database, self.java = json.loads(self.process.stdout.readline())
        self.connection = Connection(uri, user, password, database)

    def guard(self) -> psutil.Process:
        (guard,) = [c for c in psutil.Process(self.process.pid).children() if f"--home-dir={self.home}" in c.cmdline()]
        return guard

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One home for all tests of this file, in a directory with a space in its name."""
    started = Service(tmp_path_factory.mktemp("embedded") / "data of semp" / "neo4j")
    yield started
    started.close()


@pytest.fixture
def running(service: Service) -> Connection:
    return service.start()


def test_it_answers_on_loopback_and_nowhere_else(service: Service, running: Connection) -> None:
    assert run(running, "RETURN 1") == [1]
    assert service.server.running
    java = psutil.Process(service.server.pid)
    listening = [c.laddr for c in java.net_connections() if c.status == psutil.CONN_LISTEN]
    port = int(running.uri.rsplit(":", 1)[1])
    assert {(address.ip.removeprefix("::ffff:"), address.port) for address in listening} == {("127.0.0.1", port)}
    assert not [c for c in java.net_connections("udp") if c.laddr], "fleet discovery must be off"


def test_the_password_is_in_one_private_file_and_nowhere_else(service: Service, running: Connection) -> None:
    secret = running.password.encode()
    assert len(secret) >= 40
    assert secret.decode() not in repr(running)
    assert stat.S_IMODE((service.home / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(service.home.stat().st_mode) == 0o700
    holding = [path.name for path in service.home.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert holding == ["password"]
    for process in psutil.process_iter():
        try:
            visible = " ".join(process.cmdline()) + json.dumps(process.environ())
        except psutil.Error:
            continue
        assert secret.decode() not in visible, process


def test_a_second_start_on_the_same_home_is_refused_and_names_the_holder(service: Service, running: Connection) -> None:
    with pytest.raises(EmbeddedNeo4jError, match=rf"in use by process {os.getpid()}\b"):
        service.call(service.another().start())
    assert run(running, "RETURN 1") == [1], "the refused start must not disturb the holder"


def test_starting_again_gives_the_same_connection(service: Service, running: Connection) -> None:
    assert service.start() == running


def test_when_java_is_killed_it_comes_back_on_the_same_uri_with_what_was_committed(service: Service, running: Connection) -> None:
    # The connection stays open while Java dies, as the service's would: its port must still be free for the next Java.
    with GraphDatabase.driver(running.uri, auth=(running.user, running.password)) as driver:
        driver.execute_query("CREATE (:Kept {by: 'kill'})")
        killed = service.server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        def answers() -> bool:
            try:
                return driver.execute_query("MATCH (k:Kept {by: 'kill'}) RETURN count(k)").records[0][0] == 1
            except (DriverError, Neo4jError):
                return False

        eventually("Neo4j answers again", answers, 60)
    eventually("it is known to run", lambda: service.server.running, 10)
    assert service.server.pid != killed


def test_a_program_that_takes_the_port_while_java_is_dead_is_not_sent_the_password(service: Service, running: Connection) -> None:
    neo4j = service.call(connected(running))
    try:
        assert service.call(neo4j.run_text("RETURN 1 AS one", {})) == [{"one": 1}]
        killed = service.server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        port = int(running.uri.rsplit(":", 1)[1])
        eventually("the port is free", lambda: can_listen(port), 10)
        with bolt_listener(port) as listener:
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    service.call(neo4j.run_text("RETURN 1 AS one", {}))
            assert listener.connections >= 3
            assert len(listener.received) == listener.connections * HANDSHAKE_BYTES
            eventually("the end of Java is noticed", lambda: not service.server.running, 10)
        eventually("Neo4j answers again", lambda: service.server.running, 60)
        assert service.call(neo4j.run_text("RETURN 1 AS one", {})) == [{"one": 1}]
    finally:
        service.call(neo4j.close())


def test_data_survives_a_clean_stop_which_leaves_no_process_and_may_be_repeated(service: Service) -> None:
    run(service.start(), "CREATE (:Kept {by: 'stop'})")
    pid = service.server.pid
    assert pid is not None
    service.stop()
    assert not alive(pid)
    assert not service.server.running
    assert service.server.pid is None
    assert "Stopped." in (service.home / "logs" / "neo4j.log").read_text(encoding="utf-8").splitlines()[-1]
    service.stop()
    holder = Holder(service.home)
    try:
        assert run(holder.connection, "MATCH (k:Kept {by: 'stop'}) RETURN count(k)") == [1]
        run(holder.connection, "CREATE (:Kept {by: 'orphan'})")
        # A killed process cannot clean up, so its guard must stop Java.
        holder.kill()
        eventually("Java is gone after its service was killed", lambda: not alive(holder.java), 15)
    finally:
        holder.kill()


def test_a_java_left_over_from_a_killed_guard_is_stopped_by_the_next_start(service: Service) -> None:
    service.stop()
    holder = Holder(service.home)
    try:
        guard = holder.guard()
        holder.process.send_signal(signal.SIGSTOP)  # so that it cannot notice that its guard died
        guard.kill()
        holder.kill()
        eventually("the guard is gone", lambda: not alive(guard.pid), 10)
        assert alive(holder.java), "Java must still run here, otherwise this test proves nothing"
        to = service.start()
        assert not alive(holder.java)
        assert service.server.pid not in (None, holder.java)
        assert run(to, "MATCH (k:Kept) RETURN count(k)")[0] >= 0
    finally:
        holder.kill()


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(service: Service, tmp_path: Path) -> None:
    # A file where a directory must be stops every user, root too.
    (tmp_path / "data").write_text("not a directory", encoding="ascii")
    broken = EmbeddedNeo4j(tmp_path, heap="512m", page_cache="128m")
    with pytest.raises(EmbeddedNeo4jError, match=str(tmp_path)):
        service.call(broken.start())
    assert not broken.running
    (tmp_path / "data").unlink()
    broken = EmbeddedNeo4j(tmp_path, heap="512m", page_cache="1k")
    with pytest.raises(EmbeddedNeo4jError, match=r"neo4j\.log") as caught:
        service.call(broken.start())
    assert (tmp_path / "password").read_text(encoding="ascii").strip() not in str(caught.value)
    assert broken.pid is None
    assert not [p for p in psutil.process_iter() if f"--home-dir={tmp_path}" in cmdline(p)]
