"""A program that listens where a Neo4j was: it agrees on a version of Bolt, and keeps what it is sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

BOLT_5_4 = bytes([0, 0, 4, 5])
HANDSHAKE_BYTES = 20


class BoltListener:
    """`received` holds everything that came over any connection, handshakes included."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.uri = f"bolt://127.0.0.1:{server.getsockname()[1]}"
        self.received = b""
        self.connections = 0

    def serve(self) -> None:
        with suppress(OSError):  # the server was closed
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        """Answer the handshake, and close after the first messages."""
        connection.settimeout(2)
        self.received += connection.recv(HANDSHAKE_BYTES, socket.MSG_WAITALL)
        connection.sendall(BOLT_5_4)
        self.received += connection.recv(65_536)


@contextmanager
def bolt_listener(port: int = 0) -> Generator[BoltListener]:
    """Listen on a port of loopback during the block, a free one by default."""
    with socket.create_server(("127.0.0.1", port)) as server:
        listener = BoltListener(server)
        threading.Thread(target=listener.serve, daemon=True).start()
        try:
            yield listener
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
