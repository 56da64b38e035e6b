"""The database password: made once, readable by this user alone, and told to Neo4j only as a salted hash."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from .errors import EmbeddedNeo4jError

USER = "neo4j"
ITERATIONS = 1024


def prepare(home: Path) -> str:
    """Return the password of the database below `home`; make one, and have Neo4j adopt it, when there is none.

    Safe to repeat after a crash at any point: the password file appears whole or not at all, and while the system
    database does not exist yet the hash is written anew from that same file. Once it exists Neo4j ignores the hash.
    Raises EmbeddedNeo4jError when the database exists and its password file does not.
    """
    file = home / "password"
    initialised = (home / "data" / "databases" / "system").exists()
    try:
        password = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if initialised:
            raise EmbeddedNeo4jError(
                f"{file} is missing, and the database in {home} cannot be opened without it; put the file back, "
                "or move the whole directory away to start with an empty log"
            ) from None
        password = secrets.token_urlsafe(32)
        _write_private(file, password + "\n")
    if not password:
        raise EmbeddedNeo4jError(f"{file} is empty; put the password back that belongs to this database")
    file.chmod(0o600)
    if not initialised:
        folder = home / "data" / "dbms"
        folder.mkdir(parents=True, exist_ok=True)
        _write_private(folder / "auth.ini", auth_line(password, secrets.token_bytes(32)))
    return password


def auth_line(password: str, salt: bytes) -> str:
    """What ``neo4j-admin dbms set-initial-password`` writes to auth.ini, without the Java and the argv it needs."""
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(ITERATIONS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{ITERATIONS}:\n"


def _write_private(path: Path, text: str) -> None:
    """Create or replace `path` in one step; its content is never readable by others, never half there."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(draft, path)
