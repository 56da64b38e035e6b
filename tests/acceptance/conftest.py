"""Services in memory, for tests of behaviour that does not depend on the database, and a small graph of events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.lineage import Diamond
from tests.conftest import Service, running_service


@pytest.fixture(scope="module")
def memory_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, in memory, with an empty log at the start of each test module."""
    with running_service(tmp_path_factory.mktemp("service"), "--memory") as running:
        yield running


@pytest.fixture
def empty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, in memory, with an empty log at the start of each test."""
    with running_service(tmp_path_factory.mktemp("service"), "--memory") as running:
        yield running


@pytest.fixture(scope="module")
def diamond(service: Service) -> Diamond:
    """The small graph, stored in the service on Neo4j."""
    return Diamond(service)
