"""Finds the embedded Neo4j of a running service, for other commands of the same user."""

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
    """The connection to the server that runs on `home`; None when no server runs there. Only the owner of the home can read it.

    The result contains the password. So there is one only if the program that listens at the address is a Java of this home, run by the
    owner of the home. After a server has ended, a program of another user may use its port.

    Raises:
        EmbeddedNeo4jError: other users may write in the home, so nothing in it can be trusted.
        OSError: the password or the configuration cannot be read.
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
