"""The limit of open files: raised at the start, and reported when it is reached."""

from __future__ import annotations

import resource
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import running_service
from tests.raw_http import connection
from tests.waiting import eventually

LIMIT = resource.RLIMIT_NOFILE


def test_the_soft_limit_of_open_files_is_raised_at_the_start(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(LIMIT)
    resource.setrlimit(LIMIT, (256, hard))
    try:
        with running_service(tmp_path, "--memory") as service:
            assert resource.prlimit(service.process.pid, LIMIT)[0] == min(hard, 1_048_576)
    finally:
        resource.setrlimit(LIMIT, (soft, hard))


def test_the_log_says_when_no_handle_is_free_and_the_service_goes_on(tmp_path: Path) -> None:
    with running_service(tmp_path, "--memory") as service:
        resource.prlimit(service.process.pid, LIMIT, (100, 100))
        service.client.close()
        with ExitStack() as stack:
            clients = [stack.enter_context(connection(service)) for _ in range(150)]
            eventually("the log says it", lambda: "no file handle is free" in service.log.read_text(), 20)
            clients[0].send(b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert clients[0].answer().status == 200

        def answers() -> bool:
            with connection(service) as client:
                try:
                    client.send(b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    return client.answer().status == 200
                except ConnectionError:
                    return False

        eventually("a new client is answered", answers, 20)
        assert service.log.read_text().count("no file handle is free") == 1
