"""Lines of an invoice, such as `3 x 19.90 coffee @7`; the last number is the tax rate in percent."""

import re
from dataclasses import dataclass

from invoices.money import parse

LINE = re.compile(r"(\d+) x (\S+) (\w+) @(\d+)")


@dataclass(frozen=True)
class Line:
    """A number of equal items: the price of one in cents, and the tax rate in percent."""

    count: int
    price: int
    name: str
    rate: int

    @property
    def net(self) -> int:
        """Price of all items in cents, without tax."""
        return self.count * self.price


def read(text: str) -> Line:
    """Parse a line.

    Raises:
        ValueError: the text is not a line.
    """
    found = LINE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a line: {text}")
    count, price, name, rate = found.groups()
    return Line(int(count), parse(price), name, int(rate))
