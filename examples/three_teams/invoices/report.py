"""An invoice as a text."""

from invoices.lines import read
from invoices.money import show
from invoices.totals import net, taxes

WIDTH = 24


def report(text: str) -> str:
    """Each line, each tax and the sum, amounts aligned at the right."""
    lines = [read(line) for line in text.splitlines()]
    due = taxes(lines)
    rows = [(line.name, line.net) for line in lines]
    rows += [(f"tax {rate} %", cents) for rate, cents in due.items()]
    rows.append(("total", net(lines)))
    return "\n".join(name.ljust(WIDTH - 10) + show(cents).rjust(10) for name, cents in rows)
