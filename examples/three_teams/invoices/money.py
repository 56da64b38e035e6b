"""Amounts of money as whole cents."""


def parse(text: str) -> int:
    """Parse an amount: `19.90` is 1990 cents."""
    whole, _, part = text.strip().partition(".")
    return int(whole) * 100 + int(part or 0)


def show(cents: int) -> str:
    """Format an amount: 1990 cents are `19.90`."""
    return f"{cents // 100}.{cents % 100:02}"
