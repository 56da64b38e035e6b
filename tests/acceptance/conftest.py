"""A service in memory, for tests of what does not depend on the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Service, start_service


@pytest.fixture(scope="module")
def memory_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, in memory; empty at the start of the module."""
    running = start_service(tmp_path_factory.mktemp("service") / "log", "--memory")
    yield running
    assert running.stop() == 0, running.log.read_text()


@pytest.fixture
def empty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same, for one test alone."""
    running = start_service(tmp_path_factory.mktemp("service") / "log", "--memory")
    yield running
    assert running.stop() == 0, running.log.read_text()
