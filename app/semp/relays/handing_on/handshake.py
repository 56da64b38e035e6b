"""The begin of a connection between replicas: each end proves that it knows the secret of the append lease, and never sends it.

The secret is in the database, beside the lease. So only a process with access to this database can hand events on, or take them.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets

MAGIC = b"semp-replica-1\n"
"""Changed with every incompatible change of the frames: replicas of different versions do not hand events on to each other."""
NONCE = 32
WITHIN = 2.0
"""Seconds that a handshake may take."""


class NotAReplica(Exception):
    """The other end does not know the secret, or has another version."""


async def prove_to_leader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes) -> None:
    """The follower's side.

    Raises:
        NotAReplica: the other end is not the holder of the lease, or has another version.
        TimeoutError, asyncio.IncompleteReadError, ConnectionError: it did not answer.
    """
    async with asyncio.timeout(WITHIN):
        hello = await reader.readexactly(len(MAGIC) + NONCE)
        if not hello.startswith(MAGIC):
            raise NotAReplica("it is no replica of this version")
        theirs, own = hello[len(MAGIC) :], secrets.token_bytes(NONCE)
        writer.write(own + _proof(secret, b"follower", theirs, own))
        if not hmac.compare_digest(await reader.readexactly(NONCE), _proof(secret, b"leader", theirs, own)):
            raise NotAReplica("it does not know the secret of the append lease")


async def prove_to_follower(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes) -> None:
    """The leader's side. Raises the same as `prove_to_leader`."""
    async with asyncio.timeout(WITHIN):
        own = secrets.token_bytes(NONCE)
        writer.write(MAGIC + own)
        answer = await reader.readexactly(2 * NONCE)
        theirs, proof = answer[:NONCE], answer[NONCE:]
        if not hmac.compare_digest(proof, _proof(secret, b"follower", own, theirs)):
            raise NotAReplica("it does not know the secret of the append lease")
        writer.write(_proof(secret, b"leader", own, theirs))


def _proof(secret: bytes, role: bytes, of_leader: bytes, of_follower: bytes) -> bytes:
    return hmac.digest(secret, role + of_leader + of_follower, "sha256")
