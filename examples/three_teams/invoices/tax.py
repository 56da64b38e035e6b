"""Tax on an amount."""

from invoices.money import parse


def tax(net: int, rate: int) -> int:
    """Tax in cents, rounded; half a cent is rounded up."""
    return net * rate // 100


def tax_on(text: str, rate: int) -> int:
    """Tax in cents on an amount given as text, such as `19.90`."""
    return tax(parse(text), rate)
