"""Fetching jars from a repository on loopback: they are complete and verified, or the error names the coordinate."""

import functools
import gc
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded import EmbeddedNeo4jError
from semp.storage.neo4j.embedded import distribution as distribution_module
from semp.storage.neo4j.embedded.distribution import Distribution
from semp.storage.neo4j.embedded.lockfile import LockedJar

# jgo leaves abandoned responses open; these tests do not check that.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CONTENT = {f"jar{n}": f"content of {n}".encode() * 1000 for n in range(12)}


class Repository:
    """A Maven repository in a directory, served on loopback. `asked` lists the requested paths; files in `cut_short` end early."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        self.cut_short: set[str] = set()
        repository = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                repository.asked.append(self.path)
                name = self.path.rsplit("/", 1)[-1]
                if name in repository.cut_short:
                    self.send_response(200)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    self.wfile.write(b"half of it")
                    return
                super().do_GET()

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        handler = functools.partial(Handler, directory=str(root))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def jars_asked(self) -> list[str]:
        return [path for path in self.asked if path.endswith(".jar")]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


JARS = [LockedJar("org.example", name, "1.0", "", hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items()]


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    for jar in JARS:
        path = tmp_path / "remote" / jar.path
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT[jar.artifact])
    served = Repository(tmp_path / "remote")
    yield served
    served.close()
    gc.collect()  # so that the warning comes here, where it is expected, and not in a later test


def fetch(cache: Path, repository: Repository) -> tuple[list[Path], list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    paths = Distribution(JARS, cache, repository.url).fetch(lambda done, total: seen.append((done, total)))
    return paths, seen


def test_all_jars_come_once_in_the_order_of_the_lock_with_progress(tmp_path: Path, repository: Repository) -> None:
    paths, seen = fetch(tmp_path / "cache", repository)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert seen == [(done, 12) for done in range(13)]
    asked = len(repository.asked)
    assert fetch(tmp_path / "cache", repository) == (paths, [])
    assert len(repository.asked) == asked
    assert not list((tmp_path / "cache").glob("fetch-*"))


def test_a_deleted_or_damaged_jar_is_fetched_again_and_no_other(tmp_path: Path, repository: Repository) -> None:
    paths, _ = fetch(tmp_path / "cache", repository)
    repository.asked.clear()
    paths[3].unlink()
    damaged = bytearray(paths[5].read_bytes())
    damaged[0] ^= 1
    paths[5].write_bytes(damaged)
    _, seen = fetch(tmp_path / "cache", repository)
    assert seen[-1] == (2, 2)
    assert len(repository.jars_asked()) == 2
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())


def test_a_touched_jar_is_hashed_and_not_fetched(tmp_path: Path, repository: Repository) -> None:
    paths, _ = fetch(tmp_path / "cache", repository)
    repository.asked.clear()
    os.utime(paths[0])
    assert fetch(tmp_path / "cache", repository) == (paths, [])
    assert repository.asked == []


def test_a_jar_that_differs_from_the_lock_is_refused_and_not_kept(tmp_path: Path, repository: Repository) -> None:
    (repository.root / JARS[7].path).write_bytes(b"something else")
    with pytest.raises(EmbeddedNeo4jError, match=r"org\.example:jar7:1\.0 is not what the lock file says"):
        fetch(tmp_path / "cache", repository)
    assert not (tmp_path / "cache" / "maven" / JARS[7].path).exists()
    assert not list((tmp_path / "cache").glob("fetch-*"))


def test_an_incomplete_download_is_never_used(tmp_path: Path, repository: Repository) -> None:
    repository.cut_short.add("jar2-1.0.jar")
    with pytest.raises(EmbeddedNeo4jError, match=r"org\.example:jar2:1\.0"):
        fetch(tmp_path / "cache", repository)
    assert not (tmp_path / "cache" / "maven" / JARS[2].path).exists()
    repository.cut_short.clear()
    paths, _ = fetch(tmp_path / "cache", repository)
    assert paths[2].read_bytes() == CONTENT["jar2"]


def test_several_first_starts_at_once_download_every_jar_once(tmp_path: Path, repository: Repository) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(fetch, [tmp_path / "cache"] * 4, [repository] * 4))
    assert all(paths == results[0][0] for paths, _ in results)
    assert len(repository.jars_asked()) == len(JARS)


def test_without_a_repository_the_error_says_why_and_names_both_alternatives(tmp_path: Path, repository: Repository) -> None:
    repository.close()
    with pytest.raises(EmbeddedNeo4jError, match=r"--neo4j URI.*--memory") as caught:
        fetch(tmp_path / "cache", repository)
    assert "org.example:jar" in str(caught.value)


def test_the_password_of_a_mirror_is_not_in_the_error(tmp_path: Path, repository: Repository) -> None:
    port = repository.url.rsplit(":", 1)[1]
    (repository.root / JARS[0].path).unlink()
    with pytest.raises(EmbeddedNeo4jError) as caught:
        Distribution(JARS, tmp_path / "cache", f"http://me:hunter2@127.0.0.1:{port}").fetch()
    assert "hunter2" not in str(caught.value)


def test_an_unwritable_cache_is_named(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "cache").write_text("a file, not a directory", encoding="ascii")
    with pytest.raises(EmbeddedNeo4jError, match="cannot use the cache"):
        fetch(tmp_path / "cache", repository)


def test_the_environment_sets_the_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMP_CACHE", str(tmp_path / "elsewhere"))
    assert distribution_module.default_cache() == tmp_path / "elsewhere"
