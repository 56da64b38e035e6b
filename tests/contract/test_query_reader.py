"""What every storage must do with questions by name. Which there are is its own; see `tests/integration/test_offered_queries.py`."""

from __future__ import annotations

import pytest
from semp.domain.errors import InvalidInput, NotFound
from semp.engine.ports import Storage

from tests.strategies import filled


async def test_every_question_that_is_offered_is_answered_with_the_columns_it_says(store: Storage) -> None:
    await filled(store, 1, moments=5)
    names = [query.name for query in store.offered()]
    assert names == sorted(names)
    for query in store.offered():
        if not any(parameter.required for parameter in query.parameters):
            assert (await store.ask(query.name, {})).columns == [column.name for column in query.columns]


async def test_an_unknown_question_is_not_found(store: Storage) -> None:
    await filled(store, 1, moments=5)
    with pytest.raises(NotFound, match="nothing/such"):
        await store.ask("nothing/such", {})


async def test_a_parameter_that_a_question_does_not_take_is_refused_by_its_name(store: Storage) -> None:
    await filled(store, 1, moments=5)
    for query in store.offered():
        with pytest.raises(InvalidInput) as caught:
            await store.ask(query.name, {"no such parameter": "1"})
        assert "no such parameter" in [error.field for error in caught.value.fields]
