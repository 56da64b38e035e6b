"""The state machine of live delivery (see tests/unit/test_delivery_machine.py) on a log in a real Neo4j."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from semp.engine.ports import Storage
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.unit.test_delivery_machine import Client, Delivery
from tests.waiting import until

BOUNDED = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def at_rest(client: Client) -> bool:
    """Whether no message is on its way to the client: it has caught up, was closed, or has no room."""
    return client.subscriber is None or client.subscriber.caught_up or client.wire.closed is not None or not client.wire.has_room


def test_random_clients_get_every_event_of_the_real_log_or_an_explicit_end(neo4j_target: Target) -> None:
    class OnNeo4j(Delivery):
        def __init__(self) -> None:
            empty(neo4j_target)
            super().__init__()
            for _ in range(3):
                self.append(7)  # more than the ring holds, so that every client that looks back is read from the log

        def connection(self) -> Storage:
            return Neo4jStore(neo4j_target)

        async def settle(self) -> None:
            await until(lambda: all(at_rest(client) for client in self.everyone), 60)
            await super().settle()

    run_state_machine_as_test(OnNeo4j, settings=BOUNDED)  # type: ignore[no-untyped-call]
