"""Lines of an invoice: `3 x 19.90 coffee @7`, of which the last number is the tax in percent."""

import re
from dataclasses import dataclass

from invoices.money import parse

LINE = re.compile(r"(\d+) x (\S+) (\w+) @(\d+)")


@dataclass(frozen=True)
class Line:
    """So many of something at a price each."""

    count: int
    price: int
    name: str
    rate: int

    @property
    def net(self) -> int:
        """Cents without tax."""
        return self.count * self.price


def read(text: str) -> Line:
    """Raises ValueError where it is no line."""
    found = LINE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a line: {text}")
    count, price, name, rate = found.groups()
    return Line(int(count), parse(price), name, int(rate))
