"""`semp status`: shows whether the service is ready, its log's position and its strongest signals."""

from __future__ import annotations

from typing import Any

import msgspec

from semp import __version__
from semp.cli.client import Away, Client, NotTheService, Ready, Refused
from semp.cli.options import DEFAULT_URL, Url
from semp.cli.terminal import cell, show, table

SHOWN = 5
"""Maximum number of signals that are shown."""


class SignalLine(msgspec.Struct):
    """The fields of a signal that are shown."""

    scope: str
    pattern: str
    strength: float
    last_updated: str = ""


def status(url: Url = DEFAULT_URL) -> None:
    """Show whether the service at URL is ready, the number of events in its log, and its strongest signals. Exits 1 when it is not ready.

    Args:
        url: URL of the service.
    """
    with Client(url) as client:
        version = service_version(client)
        ready, why = _ready(client)
        signals = client.decode(client.get("/api/signals"), list[SignalLine]) if ready else []
    rows = table("name", "value", cut=["value"], header=False)
    rows.add_row("service", cell(client.url))
    rows.add_row("version", cell(f"{version or 'unknown'} (this command: {__version__})"))
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
    """The service's version; None when it cannot be read."""
    try:
        version = client.decode(client.get("/api/version"), dict[str, Any]).get("version")
    except (Refused, NotTheService, Away):
        return None
    return version if isinstance(version, str) else None
