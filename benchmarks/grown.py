"""A log for the growth benchmark: what its reads answer is the same at any length, only what they must not look at grows."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.histories import EventBody, new_ids

RARE = 48
"""Events of each rare value, spread evenly over the log."""
CHAIN = 200
"""Events of the chain in the middle of the log, in a trace of its own."""
LINKED = 40
"""Events that the node is linked to."""


class GrownLog:
    """A log of 50 scopes, 10 agents and traces of 50 events. Iterating generates its events, in an order that the service accepts.

    A tenth of the events are in the trace `hot`. There is a rare type (penalty), trace (`rare`) and agent (`rare`), and two
    rare scopes (`rare.scope` and `rare.other`). In the middle is a chain of CHAIN events.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.random = random.Random(5)
        self.ids = new_ids(self.random)
        self.chain: list[str] = []
        """Ids of the events of the chain, oldest first."""
        self.in_rare_scopes = 0
        """Events in the two rare scopes."""

    @property
    def middle(self) -> int:
        """Position before the chain."""
        return self.size // 2

    def __iter__(self) -> Iterator[EventBody]:
        every = self.size // RARE
        for number in range(self.size):
            event_id = next(self.ids)
            event: EventBody = {
                "id": event_id,
                "type": self.random.choice(("proposal", "proposal", "proposal", "test", "reward")),
                "scope": f"project.mod{number % 50}",
                "trace_id": "hot" if number % 10 == 0 else f"t{number // 500}-{number % 10}",
                "agent_id": f"agent-{number % 9}",
                "payload": {"action": f"do{number % 7}", "value": 0.02, "status": "passed"},
                "parent_ids": [],
            }  # fmt: skip
            rare = number % every
            if self.middle <= number < self.middle + CHAIN:
                event |= {"type": "proposal", "trace_id": "chain", "parent_ids": self.chain[-1:]}
                self.chain.append(event_id)
            elif rare == 0:
                event |= {"type": "penalty", "payload": {"action": "do1", "value": 0.001}}
            elif rare == 1:
                event["scope"] = "rare.scope"
            elif rare == 2:
                event["trace_id"] = "rare"
            elif rare == 3:
                event["agent_id"] = "rare"
            elif rare == 4:
                event["scope"] = "rare.other"
            self.in_rare_scopes += event["scope"].startswith("rare")
            yield event
