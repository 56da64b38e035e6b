"""Requests for a lineage, and a small graph of events for them."""

from __future__ import annotations

from typing import Any

from tests.answers import get
from tests.conftest import Service
from tests.events import append, new_event, new_id

EVENT_FIELDS = {"id", "type", "scope", "trace_id", "agent_id", "parent_ids", "timestamp", "position"}
"""The fields of an event in a lineage, without those that a request may ask for."""


class Diamond:
    """Stored events and their ids: a is the parent of b and c, both are parents of d, and d is the parent of e.

    a is a direct parent of d too. `unrelated` has neither parents nor children.
    """

    def __init__(self, service: Service) -> None:
        self.a, self.b, self.c, self.d, self.e, self.unrelated = (new_id() for _ in range(6))
        append(
            service,
            [
                new_event(id=self.a, scope="l.root"),
                new_event("ready", None, self.a, id=self.b, scope="l.left"),
                new_event("test", {"status": "passed", "n": 1}, self.a, id=self.c, scope="l.right"),
                new_event("ready", id=self.unrelated, scope="l"),
                new_event("ready", None, self.b, self.c, self.a, id=self.d, scope="l.left.low"),
                new_event("ready", None, self.d, id=self.e, scope="l.left"),
            ],
        )


def lineage_of(service: Service, event_id: str, direction: str, **query: Any) -> dict[str, Any]:
    """The answer for one event, which must be 200. `direction` is `ancestors`, `descendants`, `lineage`, `roots` or `impact`."""
    return get(service, f"events/{event_id}/{direction}", **query)


def ids(answer: dict[str, Any]) -> list[str]:
    """The ids of the nodes of a lineage, in its order."""
    return [node["id"] for node in answer["nodes"]]
