"""The password of the database: created once, readable only by this user, and given to Neo4j only as a salted hash."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from .errors import EmbeddedNeo4jError

USER = "neo4j"
ITERATIONS = 1024  # rounds of SHA-256, the number that Neo4j uses


def prepare(home: Path) -> str:
    """The password of the database below `home`. For a new database, create it, and write the hash that Neo4j reads at its first start.

    Safe to repeat after a crash at any point: the password file is complete or does not exist. As long as the system database does not
    exist, the hash is written again from the password file. After that, Neo4j ignores the hash.

    Raises:
        EmbeddedNeo4jError: the database exists but its password file does not, or the file is empty.
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
    """The line that ``neo4j-admin dbms set-initial-password`` writes to auth.ini.

    That command is not used because it needs Java, and the password as an argument, which other users can read.
    """
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(ITERATIONS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{ITERATIONS}:\n"


def _write_private(path: Path, text: str) -> None:
    """Create or replace a file in one step. Other users can never read it, and its content is never incomplete."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(draft, path)
