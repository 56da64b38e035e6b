"""CrewAI's events in the order they happened.

CrewAI calls its listeners from a pool of threads, so an end may arrive before its start. The run's record has the right order: when an
event arrives, all earlier events of the record are taken with it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from crewai.events.base_events import BaseEvent

if TYPE_CHECKING:
    from crewai import RuntimeState
    from crewai.state.event_record import EventNode, EventRecord

STEP = 32
"""Events of the record that are read first; each further read takes eight times as many."""


class Emissions:
    """Hands out each event once, oldest first. Not safe to use from two threads at once."""

    def __init__(self) -> None:
        self._taken: WeakValueDictionary[str, BaseEvent] = WeakValueDictionary()

    def take(self, event: BaseEvent, state: RuntimeState | None) -> list[BaseEvent]:
        """The events up to this one that were not taken before; empty when this one was."""
        if event.event_id in self._taken:
            return []
        record = None if state is None else state.event_record
        found = [event] if record is None else self._since(event, record)
        for each in found:
            self._taken[each.event_id] = each
        return found

    def _since(self, event: BaseEvent, record: EventRecord) -> list[BaseEvent]:
        count = STEP
        while True:
            nodes = _newest(record, count)
            found: list[BaseEvent] = []
            for node in nodes:
                if node.event.event_id in self._taken:
                    break
                found.append(node.event)
            else:
                if len(nodes) == count:
                    count *= 8
                    continue
                found = self._without_the_past(found, event, record)
            found.reverse()
            return found if any(each is event for each in found) else [event, *found]

    def _without_the_past(self, newest_first: list[BaseEvent], event: BaseEvent, record: EventRecord) -> list[BaseEvent]:
        """Drop old events from a record of which nothing was taken yet, because it may come from a checkpoint.

        Kept are the event, everything after it, the spans around it, and children of spans that were taken before: CrewAI may start a new
        record within a run.
        """
        around: set[str] = set()
        waiting = [event.parent_event_id, event.started_event_id]
        while waiting:
            found = waiting.pop()
            node = None if found is None or found in around else record.nodes.get(found)
            if node is not None:
                around.add(node.event.event_id)
                waiting.append(node.event.parent_event_id)
        kept: list[BaseEvent] = []
        before = False
        for each in newest_first:
            if not before or each.event_id in around or each.parent_event_id in self._taken or each.started_event_id in self._taken:
                kept.append(each)
            before = before or each is event
        return kept


def _newest(record: EventRecord, count: int) -> list[EventNode]:
    try:
        return list(islice(reversed(record.nodes.values()), count))
    except RuntimeError:  # it grew meanwhile
        return record.all_nodes()[::-1]
