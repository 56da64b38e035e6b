"""What an invoice comes to."""

from collections.abc import Iterable

from invoices.lines import Line
from invoices.tax import tax


def net(lines: Iterable[Line]) -> int:
    """Cents without tax."""
    return sum(line.net for line in lines)


def taxes(lines: Iterable[Line]) -> dict[int, int]:
    """Cents of tax by rate: of the sum of a rate's lines, not of each line."""
    found: dict[int, int] = {}
    for line in lines:
        found[line.rate] = found.get(line.rate, 0) + tax(line.net, line.rate)
    return dict(sorted(found.items()))
