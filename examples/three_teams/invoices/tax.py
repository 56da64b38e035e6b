"""Tax on an amount."""

from invoices.money import parse


def tax(net: int, rate: int) -> int:
    """Cents, a half is one more."""
    return net * rate // 100


def tax_on(text: str, rate: int) -> int:
    """Of an amount as it is written."""
    return tax(parse(text), rate)
