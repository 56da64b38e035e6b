"""A small graph of events for tests of lineage."""

from __future__ import annotations

import pytest

from tests.acceptance.lineage import Diamond
from tests.conftest import Service


@pytest.fixture(scope="module")
def diamond(service: Service) -> Diamond:
    """The small graph, stored in the service on Neo4j."""
    return Diamond(service)
