"""Events that tests append to a running service, and where its log stands."""

from __future__ import annotations

from tests.conftest import Service


def head(service: Service) -> int:
    """The position of the newest event."""
    return service.client.get("/health/ready").json()["position"]
