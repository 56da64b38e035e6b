"""An invoice as a text."""

from invoices.lines import read
from invoices.money import show
from invoices.totals import net, taxes

WIDTH = 24


def report(text: str) -> str:
    """The invoice: each line, the tax of each rate and the total, with amounts aligned to the right."""
    lines = [read(line) for line in text.splitlines()]
    due = taxes(lines)
    rows = [(line.name, line.net) for line in lines]
    rows += [(f"tax {rate} %", cents) for rate, cents in due.items()]
    rows.append(("total", net(lines)))
    return "\n".join(name.ljust(WIDTH - 10) + show(cents).rjust(10) for name, cents in rows)
