"""Which of the database's errors is whose fault: the request's own, another's, or the database's."""

from __future__ import annotations

import pytest
from neo4j.exceptions import Neo4jError
from semp.api.errors import describe
from semp.domain.errors import QueryTimeout, QueryTooLarge, SempError, StoreOverloaded, StoreUnavailable
from semp.storage.neo4j.connection import translated


def raised(code: str, reading: bool, message: str = "secret") -> Exception:
    """What `translated` makes of an error of the database, as the driver raises it."""
    with pytest.raises((SempError, Neo4jError)) as caught, translated(reading=reading):
        raise Neo4jError._hydrate_neo4j(code=code, message=message)  # pyright: ignore[reportPrivateUsage]
    return caught.value


OVERLOADED = (
    "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
    "Neo.TransientError.General.OutOfMemoryError",
    "Neo.DatabaseError.General.OutOfMemoryError",
    "Neo.TransientError.Transaction.Terminated",
    "Neo.ClientError.Transaction.Terminated",
    "Neo.TransientError.Transaction.LockClientStopped",
    "Neo.ClientError.Transaction.LockClientStopped",
    "Neo.TransientError.Transaction.MaximumTransactionLimitReached",
)
UNAVAILABLE = (
    "Neo.TransientError.Transaction.DeadlockDetected",
    "Neo.TransientError.General.DatabaseUnavailable",
    "Neo.ClientError.Database.DatabaseNotFound",
    "Neo.DatabaseError.Transaction.TransactionCommitFailed",
    "Neo.DatabaseError.Transaction.TransactionStartFailed",
)
OF_ITS_OWN = {
    "Neo.TransientError.General.TransactionOutOfMemoryError": (QueryTooLarge, StoreOverloaded),
    "Neo.ClientError.General.TransactionOutOfMemoryError": (QueryTooLarge, StoreOverloaded),
    "Neo.TransientError.General.StackOverFlowError": (QueryTooLarge, StoreOverloaded),
    "Neo.ClientError.Transaction.TransactionTimedOut": (QueryTimeout, StoreUnavailable),
    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration": (QueryTimeout, StoreUnavailable),
}


@pytest.mark.parametrize("reading", [True, False])
@pytest.mark.parametrize("code", OVERLOADED)
def test_a_query_that_suffers_from_others_is_503_and_may_be_repeated(code: str, reading: bool) -> None:
    error = raised(code, reading)
    assert type(error) is StoreOverloaded
    described = describe(error)
    assert described is not None
    assert (described.status, described.retry_after) == (503, 2)
    assert "secret" not in described.message


@pytest.mark.parametrize("reading", [True, False])
@pytest.mark.parametrize("code", UNAVAILABLE)
def test_a_database_that_cannot_answer_is_503(code: str, reading: bool) -> None:
    error = raised(code, reading)
    assert type(error) is StoreUnavailable
    described = describe(error)
    assert described is not None
    assert described.status == 503
    assert described.retry_after


@pytest.mark.parametrize("code", OF_ITS_OWN)
def test_a_read_beyond_its_own_limit_is_400_and_a_write_is_503(code: str) -> None:
    read, write = raised(code, True), raised(code, False)
    assert (type(read), type(write)) == OF_ITS_OWN[code]
    assert [getattr(describe(error), "status", None) for error in (read, write) if isinstance(error, SempError)] == [400, 503]


def test_an_error_that_says_nothing_about_the_database_stays_what_it_is() -> None:
    assert isinstance(raised("Neo.ClientError.Statement.SyntaxError", True), Neo4jError)


def test_a_read_that_is_too_large_is_told_by_the_message_from_one_that_suffers_from_others() -> None:
    code = "Neo.TransientError.General.MemoryPoolOutOfMemoryError"
    message = "The allocation of an extra 2.0 MiB would use more than the limit 256.0 MiB. Currently using 254.0 MiB. {} threshold reached"
    assert type(raised(code, True, message.format("db.memory.transaction.max"))) is QueryTooLarge
    assert type(raised(code, True, message.format("dbms.memory.transaction.total.max"))) is StoreOverloaded
    assert type(raised(code, False, message.format("db.memory.transaction.max"))) is StoreOverloaded
