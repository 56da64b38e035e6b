"""Which Python values become JSON, and which are refused."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest
from semp_sdk import InvalidEvent, new_id
from semp_sdk.encoding import encode_event
from semp_sdk.events import NewEvent


class Text(str):
    """A subclass of str, as frameworks have them, for example `message.text` of LangChain."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


class Count(int):
    def __int__(self) -> int:
        return -1


class Share(float):
    def __float__(self) -> float:
        return -1.0


def encoded(payload: dict[str, Any], scope: str = "s") -> dict[str, Any]:
    event = NewEvent(id=new_id(), type="ready", scope=scope, trace_id="t", agent_id="a", parent_ids=[], payload=payload)
    decoded: dict[str, Any] = json.loads(encode_event(event))
    return decoded


@pytest.mark.parametrize(
    ("value", "plain"),
    [(Text("ü"), "ü"), (Count(3), 3), (Count(2**70), 2**70), (Share(0.5), 0.5), (numpy.float64(0.1), 0.1), (numpy.str_("x"), "x")],
)
def test_a_subclass_of_text_or_number_is_encoded_as_its_value(value: Any, plain: Any) -> None:
    payload = encoded({"status": value, "deep": [{"x": [value, (value,)]}]})["payload"]
    assert payload == {"status": plain, "deep": [{"x": [plain, [plain]]}]}


def test_a_key_and_a_scope_may_be_a_subclass_of_text() -> None:
    found = encoded({"a": {Text("key"): 1}, Text("b"): 2}, scope=Text("shop"))
    assert (found["payload"], found["scope"]) == ({"a": {"key": 1}, "b": 2}, "shop")


def test_a_subclass_of_float_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="NaN"):
        encoded({"x": [Share("nan")]})


@pytest.mark.parametrize("value", [object(), b"x".join, numpy.int64(3), type("Bytes", (bytes,), {})(b"x")])
def test_anything_else_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(InvalidEvent, match=type(value).__name__):
        encoded({"x": value})
