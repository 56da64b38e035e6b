"""Leases, with at most one holder, expiry by the storage's own clock, and growing tokens: the same cases on every storage."""

from __future__ import annotations

import pytest
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import Lease

from tests.strategies import few_at_a_time
from tests.waiting import until

LONG = 600.0
SHORT = 0.05
WITHIN = 20.0


async def wait_until_free(store: Storage, name: str) -> None:
    """Return once nobody holds the lease."""

    async def free() -> bool:
        return await store.lease(name) is None

    await until(free, WITHIN)


async def test_a_free_lease_is_acquired_and_others_are_told_its_holder_and_expiry(store: Storage) -> None:
    await store.open(Rules())
    assert await store.lease("sweeper") is None
    mine = await store.acquire("sweeper", "one", LONG)
    assert (mine.name, mine.holder, mine.token) == ("sweeper", "one", 1)
    assert 0 < mine.left <= LONG * 1000
    theirs = await store.acquire("sweeper", "two", LONG)
    assert (theirs.holder, theirs.token, theirs.expires) == ("one", 1, mine.expires)
    other = await store.acquire("another", "two", LONG)
    assert (other.name, other.holder, other.token) == ("another", "two", 1)
    shown = await store.lease("sweeper")
    assert shown is not None
    assert (shown.holder, shown.token, shown.expires) == ("one", 1, mine.expires)


async def test_acquiring_a_held_lease_again_renews_it_under_the_same_token(store: Storage) -> None:
    await store.open(Rules())
    first = await store.acquire("x", "one", 60)
    again = await store.acquire("x", "one", LONG)
    assert again.token == first.token
    assert again.expires > first.expires
    assert (await store.acquire("x", "one", SHORT)).expires == again.expires, "it never shortens"
    assert (await store.acquire("x", "two", LONG)).holder == "one"


async def test_renewing_takes_the_current_token_only(store: Storage) -> None:
    await store.open(Rules())
    mine = await store.acquire("x", "one", 60)
    renewed = await store.renew(mine, LONG)
    assert renewed is not None
    assert (renewed.holder, renewed.token) == ("one", mine.token)
    assert renewed.expires > mine.expires
    shorter = await store.renew(mine, SHORT)
    assert shorter is not None
    assert shorter.expires == renewed.expires, "it never shortens"
    assert await store.renew(Lease("x", "one", mine.token + 1, mine.expires, 0), LONG) is None
    assert await store.renew(Lease("never", "one", 1, mine.expires, 0), LONG) is None
    assert await store.lease("never") is None


async def test_an_expired_lease_can_be_acquired_by_anyone_under_a_higher_token(store: Storage) -> None:
    await store.open(Rules())
    first = await store.acquire("x", "one", SHORT)
    await wait_until_free(store, "x")
    second = await store.acquire("x", "one", SHORT)
    assert (second.holder, second.token) == ("one", first.token + 1)
    await wait_until_free(store, "x")
    third = await store.acquire("x", "two", LONG)
    assert (third.holder, third.token) == ("two", second.token + 1)
    assert await store.renew(second, LONG) is None
    assert not await store.release(second)
    assert (await store.acquire("x", "one", LONG)).holder == "two"


async def test_a_lease_that_expired_is_renewed_unless_another_took_it(store: Storage) -> None:
    await store.open(Rules())
    mine = await store.acquire("x", "one", SHORT)
    await wait_until_free(store, "x")
    renewed = await store.renew(mine, LONG)
    assert renewed is not None
    assert renewed.token == mine.token
    assert (await store.acquire("x", "two", LONG)).holder == "one"


async def test_a_released_lease_is_free_at_once_and_its_token_is_invalid(store: Storage) -> None:
    await store.open(Rules())
    mine = await store.acquire("x", "one", LONG)
    assert await store.release(mine)
    assert not await store.release(mine)
    assert await store.lease("x") is None
    assert await store.renew(mine, LONG) is None
    assert (await store.acquire("x", "two", LONG)).token == mine.token + 1


async def test_of_many_that_race_for_a_free_lease_one_gets_it_and_tokens_grow(store: Storage) -> None:
    await store.open(Rules())
    last = 0
    for _ in range(8):
        answers = await few_at_a_time([store.acquire("x", f"h{n}", LONG) for n in range(24)], most=24)
        [won] = {(lease.holder, lease.token) for lease in answers}
        assert won[1] == last + 1
        last = won[1]
        assert await store.release(answers[0])


async def test_of_many_that_race_for_an_expired_lease_one_gets_it(store: Storage) -> None:
    await store.open(Rules())
    for _ in range(3):
        await store.acquire("x", "late", SHORT)
        await wait_until_free(store, "x")
        answers = await few_at_a_time([store.acquire("x", f"h{n}", LONG) for n in range(24)], most=24)
        assert len({(lease.holder, lease.token) for lease in answers}) == 1
        assert await store.release(answers[0])


@pytest.mark.parametrize("seconds", [0, -1, 0.0001, 86_401, float("nan")])
async def test_a_lease_of_an_invalid_length_is_refused(store: Storage, seconds: float) -> None:
    await store.open(Rules())
    with pytest.raises(ValueError, match="lease"):
        await store.acquire("x", "one", seconds)
    assert await store.lease("x") is None
