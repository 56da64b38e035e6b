"""Offered queries, asked by name: the same cases on every storage. For the queries themselves see `test_offered_queries.py`."""

from __future__ import annotations

import pytest
from semp.domain.errors import InvalidInput, NotFound
from semp.engine.ports import Storage

from tests.strategies import filled


async def test_every_offered_query_is_answered_with_its_declared_columns(store: Storage) -> None:
    await filled(store, 1, moments=5)
    names = [query.name for query in store.offered()]
    assert names == sorted(names)
    for query in store.offered():
        if not any(parameter.required for parameter in query.parameters):
            assert (await store.ask(query.name, {})).columns == [column.name for column in query.columns]


async def test_an_unknown_query_is_not_found(store: Storage) -> None:
    await filled(store, 1, moments=5)
    with pytest.raises(NotFound, match="nothing/such"):
        await store.ask("nothing/such", {})


async def test_an_unknown_parameter_is_refused_by_its_name(store: Storage) -> None:
    await filled(store, 1, moments=5)
    for query in store.offered():
        with pytest.raises(InvalidInput) as caught:
            await store.ask(query.name, {"no such parameter": "1"})
        assert "no such parameter" in [error.field for error in caught.value.fields]
