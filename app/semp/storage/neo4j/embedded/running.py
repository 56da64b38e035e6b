"""How other commands reach the embedded Neo4j of a service that is running."""

from __future__ import annotations

import re
import stat
from functools import partial
from pathlib import Path

from .child import Connection
from .credentials import USER
from .errors import EmbeddedNeo4jError
from .processes import own_java_listens
from .space import has_room

_ADDRESS = re.compile(r"^server\.bolt\.listen_address=(\S+)$", re.MULTILINE)


def running_connection(home: Path) -> Connection | None:
    """The connection to the server that runs on `home`, None when none does. Only the user who owns the home can read it.

    The password is given out only when the process that listens at the address is the home owner's own Java for this home. Another
    user's program may have the port of a server that is gone.

    Raises:
        EmbeddedNeo4jError: others may write in the home, so nothing in it can be trusted.
    """
    home = home.expanduser().resolve()
    conf, password = home / "conf" / "neo4j.conf", home / "password"
    if not conf.exists() or not password.exists():
        return None
    if home.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise EmbeddedNeo4jError(f"others may write in {home}, so nothing in it can be trusted; take that away with: chmod go-w {home}")
    address = _ADDRESS.search(conf.read_text("utf-8"))
    if address is None:
        return None
    trusted = partial(own_java_listens, home, int(address[1].rpartition(":")[2]))
    if not trusted():
        return None
    return Connection(f"bolt://{address[1]}", USER, password.read_text("ascii").strip(), "neo4j", trusted, partial(has_room, home))
