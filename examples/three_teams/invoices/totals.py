"""Totals of an invoice."""

from collections.abc import Iterable

from invoices.lines import Line
from invoices.tax import tax


def net(lines: Iterable[Line]) -> int:
    """Sum of the lines in cents, without tax."""
    return sum(line.net for line in lines)


def taxes(lines: Iterable[Line]) -> dict[int, int]:
    """Tax in cents by rate, computed on the sum of the lines of a rate, not line by line."""
    found: dict[int, int] = {}
    for line in lines:
        found[line.rate] = found.get(line.rate, 0) + tax(line.net, line.rate)
    return dict(sorted(found.items()))
