"""The database's password is sent only to the right listener, at each connection anew."""

from __future__ import annotations

import pytest
from semp.domain.errors import StoreUnavailable
from semp.storage.neo4j.connection import Connection, Target

from tests.bolt_listener import bolt_listener

SECRET = "correct-horse-battery"

pytestmark = pytest.mark.anyio


async def test_a_listener_that_is_not_the_right_one_gets_no_password() -> None:
    answers = iter([True, False, True])
    asked: list[bool] = []

    def trusted() -> bool:
        asked.append(next(answers))
        return asked[-1]

    with bolt_listener() as listener:
        connection = Connection(Target(listener.uri, "neo4j", SECRET, "neo4j", trusted))
        try:
            for right in (True, False, True):
                listener.received = b""
                with pytest.raises(StoreUnavailable):
                    await connection.run("lease", name="x")
                assert (SECRET.encode() in listener.received) is right
        finally:
            await connection.close()
    assert asked == [True, False, True]


async def test_a_server_on_another_machine_is_known_by_its_uri_alone() -> None:
    with bolt_listener() as listener:
        connection = Connection(Target(listener.uri, "neo4j", SECRET, "neo4j"))
        try:
            with pytest.raises(StoreUnavailable):
                await connection.run("lease", name="x")
        finally:
            await connection.close()
        assert SECRET.encode() in listener.received


def test_the_password_is_in_no_repr() -> None:
    assert SECRET not in repr(Target("bolt://127.0.0.1:1", "neo4j", SECRET))
