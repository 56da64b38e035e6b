"""How other commands reach the embedded Neo4j of a service that is running."""

from __future__ import annotations

import re
from pathlib import Path

from .child import Connection
from .credentials import USER
from .processes import java_of

_ADDRESS = re.compile(r"^server\.bolt\.listen_address=(\S+)$", re.MULTILINE)


def running_connection(home: Path) -> Connection | None:
    """The connection to the server that runs on `home`, None when none does. Only the user who owns the home can read it."""
    home = home.expanduser().resolve()
    conf, password = home / "conf" / "neo4j.conf", home / "password"
    if not conf.exists() or not password.exists() or not java_of(home):
        return None
    address = _ADDRESS.search(conf.read_text("utf-8"))
    if address is None:
        return None
    return Connection(f"bolt://{address[1]}", USER, password.read_text("ascii").strip(), "neo4j")
