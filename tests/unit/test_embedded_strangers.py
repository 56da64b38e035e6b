"""Which processes the embedded Neo4j trusts: only those of its own user, whatever their names; and which it stops."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded import EmbeddedNeo4jError
from semp.storage.neo4j.embedded import distribution as distribution_module
from semp.storage.neo4j.embedded.distribution import Distribution, sha256_of
from semp.storage.neo4j.embedded.lockfile import LockedJar
from semp.storage.neo4j.embedded.processes import FOR_SERVICE, HomeLock, java_of, stop_leftovers
from semp.storage.neo4j.embedded.running import running_connection

from tests.waiting import eventually

WAIT = "import signal; print('ready', flush=True); signal.pause()"
LISTEN = f"import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1]))); {WAIT}"
NOBODY = 65534


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a server that has ended; nothing listens on its port yet."""
    place = tmp_path / "home"
    (place / "conf").mkdir(parents=True)
    place.chmod(0o700)
    (place / "password").write_text("secret\n")
    (place / "conf/neo4j.conf").write_text(f"server.bolt.listen_address=127.0.0.1:{free_port()}\n")
    return place


def port_of(home: Path) -> int:
    return int((home / "conf/neo4j.conf").read_text().strip().rpartition(":")[2])


@contextmanager
def called_java(home: Path, *, port: int | None, user: int | None = None, python: str = sys.executable) -> Generator[int]:
    """A Python process with the name java and the argument --home-dir. Yields its process id. `port`: where it listens, if given."""
    line = ["java", "-c", WAIT if port is None else LISTEN, str(port or 0), f"--home-dir={home}"]
    environment = {"PYTHONHOME": sys.base_prefix} if python == sys.executable else {}  # needed to find its files under another name
    with subprocess.Popen(line, executable=python, stdout=subprocess.PIPE, user=user, cwd="/", env=environment) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process.pid
        finally:
            process.kill()


def test_the_owners_own_java_that_listens_gets_the_password(home: Path) -> None:
    assert running_connection(home) is None
    with called_java(home, port=port_of(home)):
        found = running_connection(home)
        assert found is not None
        assert found.password == "secret"


def test_a_java_that_does_not_listen_there_itself_gets_nothing(home: Path) -> None:
    with called_java(home, port=None), socket.create_server(("127.0.0.1", port_of(home))):
        assert running_connection(home) is None


def test_a_program_of_another_user_gets_nothing_whatever_its_name(home: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/bin")
    if os.getuid() != 0 or python is None:
        pytest.skip("only root can start a process of another user")
    with called_java(home, port=port_of(home), user=NOBODY, python=python) as pid:
        assert java_of(home) == []
        assert running_connection(home) is None
        assert stop_leftovers(home, 1.0) == 0
        os.kill(pid, 0)


def test_a_home_that_others_may_write_in_is_not_trusted(home: Path) -> None:
    home.chmod(0o777)
    with pytest.raises(EmbeddedNeo4jError, match="chmod go-w"):
        running_connection(home)


def test_a_second_start_is_refused_also_when_the_lock_file_was_deleted(tmp_path: Path) -> None:
    first, second = HomeLock(tmp_path), HomeLock(tmp_path)
    first.acquire()
    with pytest.raises(EmbeddedNeo4jError, match=f"is in use by process {os.getpid()}"):
        second.acquire()
    (tmp_path / "lock").unlink()
    with pytest.raises(EmbeddedNeo4jError, match="is in use by another process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


GUARD = "import subprocess, sys; c = subprocess.Popen(['java', '-c', sys.argv[2], '0', sys.argv[3]], executable=sys.executable); c.wait()"


@contextmanager
def guarded_java(home: Path, service: int) -> Generator[None]:
    """A java that is a child of a guard; the guard's arguments name the process id of its service."""
    line = [sys.executable, "-c", GUARD, f"{FOR_SERVICE}{service}", WAIT, f"--home-dir={home}"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, start_new_session=True) as guard:
        try:
            eventually("java runs", lambda: java_of(home), 30.0)
            yield
        finally:
            os.killpg(guard.pid, 9)


def test_a_java_whose_service_still_runs_is_not_stopped(tmp_path: Path) -> None:
    """This happens after the data directory was deleted and created again: its lock is free, but its database still runs."""
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        with guarded_java(tmp_path, other.pid):
            with pytest.raises(EmbeddedNeo4jError, match=f"in use by process {other.pid}"):
                stop_leftovers(tmp_path, 1.0)
            assert len(java_of(tmp_path)) == 1
    finally:
        other.kill()
        other.wait()


def test_a_java_whose_service_has_ended_is_stopped(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with guarded_java(tmp_path, gone.pid):
        assert stop_leftovers(tmp_path, 5.0) == 1
        assert java_of(tmp_path) == []


def test_jars_are_verified_once_per_boot_whatever_their_timestamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "maven/org/x/y/1/y-1.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"right")
    jar = LockedJar("org.x", "y", "1", "", sha256_of(path))
    monkeypatch.setattr(distribution_module, "boot_id", lambda: "first")
    found = Distribution([jar], tmp_path)
    assert found.fetch() == [path]
    status = path.stat()
    path.write_bytes(b"wrong")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert Distribution([jar], tmp_path).fetch() == [path]  # within one boot, unchanged size and time are enough
    monkeypatch.setattr(distribution_module, "boot_id", lambda: "second")
    with pytest.raises(EmbeddedNeo4jError, match="could not be had"):
        Distribution([jar], tmp_path, "http://127.0.0.1:9").fetch()
    assert not path.exists()


def test_jars_with_a_manifest_of_an_older_version_are_verified_again(tmp_path: Path) -> None:
    path = tmp_path / "maven/org/x/y/1/y-1.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"right")
    jar = LockedJar("org.x", "y", "1", "", sha256_of(path))
    assert Distribution([jar], tmp_path).fetch() == [path]
    [manifest] = tmp_path.glob("verified-*.json")
    known = json.loads(manifest.read_text())
    del known["boot"]
    manifest.write_text(json.dumps(known))
    assert Distribution([jar], tmp_path).fetch() == [path]
    assert "boot" in json.loads(manifest.read_text())
