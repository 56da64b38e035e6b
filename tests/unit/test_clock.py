"""Timestamps: whole milliseconds, as text and back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semp.domain.clock import from_text, system_clock, to_text

YEAR_9999 = 253_402_300_799_999
moments = st.integers(0, YEAR_9999)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_736_937_000_000, "2025-01-15T10:30:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
        (YEAR_9999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_has_one_text(milliseconds: int, text: str) -> None:
    assert to_text(milliseconds) == text
    assert from_text(text) == milliseconds


@given(moments)
def test_text_and_back_is_exact(milliseconds: int) -> None:
    assert from_text(to_text(milliseconds)) == milliseconds


@given(moments, moments)
def test_texts_sort_as_moments_do(one: int, other: int) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


@pytest.mark.parametrize(
    "text", ["2025-01-15T10:30:00Z", "2025-01-15T12:30:00.000+02:00", "2025-01-15T10:30:00.000999Z", "2025-01-15T10:30:00+00:00"]
)
def test_other_notations_of_a_moment_are_read(text: str) -> None:
    assert from_text(text) == 1_736_937_000_000


@pytest.mark.parametrize("text", ["", "now", "2025-01-15T10:30:00", "2025-01-15", "2025-13-01T00:00:00Z", "1736937000000"])
def test_text_that_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_text(text)


def test_the_system_clock_counts_milliseconds() -> None:
    before = time.time() * 1000 - 1
    assert before <= system_clock() <= time.time() * 1000
