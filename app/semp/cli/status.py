"""`semp status`: is the service there, and where does its log stand?"""

from __future__ import annotations

from typing import Any

import msgspec

from semp import __version__
from semp.cli.client import Away, Client, NotTheService, Ready, Refused
from semp.cli.options import HERE, Url
from semp.cli.terminal import cell, show, table

SHOWN = 5


class SignalLine(msgspec.Struct):
    """A signal as far as it is shown."""

    scope: str
    pattern: str
    strength: float
    last_updated: str = ""


def status(url: Url = HERE) -> None:
    """Show whether the service at URL is ready, and where its log stands. Exits 1 when it is not ready.

    Args:
        url: Where the service is.
    """
    with Client(url) as client:
        version = service_version(client)
        ready, why = _ready(client)
        signals = client.decode(client.get("/api/signals"), list[SignalLine]) if ready else []
    rows = table("name", "value", cut=["value"], header=False)
    rows.add_row("service", cell(client.url))
    rows.add_row("version", cell(f"{version or 'not told'} (this command: {__version__})"))
    rows.add_row("status", cell("ready", "green") if ready else cell(why, "red"))
    if ready:
        rows.add_row("epoch", cell(ready.epoch))
        rows.add_row("events", f"{ready.position:,}" if ready.position else "0, the log is empty")
        rows.add_row("signals", f"{len(signals):,}" if signals else "0, none is alive")
        for signal in signals[:SHOWN]:
            rows.add_row("", cell(f"{signal.strength:.3f}  {signal.scope}:{signal.pattern}"))
        if len(signals) > SHOWN:
            rows.add_row("", cell(f"and {len(signals) - SHOWN:,} more: semp signals", "dim"))
    show(rows)
    if not ready:
        raise SystemExit(1)


def _ready(client: Client) -> tuple[Ready | None, str]:
    try:
        return client.ready(), ""
    except Away as away:
        return None, str(away).removeprefix(f"{client.url}: ")


def service_version(client: Client) -> str | None:
    """The service's version, if it tells."""
    try:
        found = client.decode(client.get("/api/version"), dict[str, Any]).get("version")
    except (Refused, NotTheService, Away):
        return None
    return found if isinstance(found, str) else None
