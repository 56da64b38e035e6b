"""Entries of other writers are taken over without a gap, also while the database shows a transaction only in part."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from semp.domain.errors import StoreUnavailable
from semp.engine.records import Entry
from semp.storage.memory.store import MemoryStore

from tests.strategies import Writer, make_id, new_draft
from tests.waiting import until


class PartlyShown(MemoryStore):
    """For each of the first reads, the positions that are not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: list[set[int]] = []

    async def read(self, after: int, limit: int) -> list[Entry]:
        entries = await super().read(after, limit)
        missing = self.hidden.pop(0) if self.hidden else set[int]()
        return [entry for entry in entries if entry.event.position not in missing]


@pytest.mark.parametrize("hidden", [[{3}, {3}], [{1}, {2, 3, 4, 5}, {5}], [{1, 2, 3, 4, 5}], [{1, 5}, {2, 4}]])
async def test_of_a_transaction_that_shows_in_part_nothing_is_skipped(hidden: Sequence[set[int]]) -> None:
    store = PartlyShown()
    other, reader = await Writer.on(store, poll_interval=3600), await Writer.on(store, poll_interval=3600)
    await other.append(*[new_draft(number=n) for n in range(1, 6)])
    store.hidden = list(hidden)
    reader.committer.poll_now()
    await until(lambda: len(reader.fed) == 5)
    reader.assert_fed_in_order()
    assert [entry.event.id for entry in reader.fed] == [make_id(n) for n in range(1, 6)]
    assert store.hidden == []
    assert reader.ledger.state == other.ledger.state
    assert [signal for _, signal in sorted(reader.ledger.signals.items())] == [s for _, s in sorted(other.ledger.signals.items())]
    await reader.committer.close()
    await other.committer.close()


async def test_a_log_that_lacks_an_event_is_not_appended_to() -> None:
    store = PartlyShown()
    other, writer = await Writer.on(store, poll_interval=3600), await Writer.on(store, poll_interval=3600, patience=0.3)
    await other.append(*[new_draft(number=n) for n in range(1, 6)])
    store.hidden = [{3}] * 100
    with pytest.raises(StoreUnavailable):
        await writer.append(new_draft(number=6))
    assert len(store.log) == 5
    assert [entry.event.position for entry in writer.fed] == [1, 2]
    store.hidden = []
    writer.committer.poll_now()
    await until(lambda: writer.committer.available)
    [recorded] = await writer.append(new_draft(number=7))
    assert recorded.event.position == 6
    writer.assert_fed_in_order()
    await writer.committer.close()
    await other.committer.close()
