"""A TCP relay between a service and its database, which tests unplug and stop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from semp.storage.neo4j.connection import Target

from tests.conftest import neo4j_environment


class Cable:
    """A relay to a database. It keeps its port when it is unplugged and plugged in again.

    Use it through `plugged`, which unplugs it at the end.
    """

    def __init__(self, target: Target) -> None:
        address = urlsplit(target.uri)
        self.target = address.hostname or "", address.port or 7687
        self.listener: socket.socket | None = None
        self.port = 0
        self.connections: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._passing = 0
        self.plug()
        self.environment = {**neo4j_environment(target), "SEMP_NEO4J": f"bolt://127.0.0.1:{self.port}"}
        """The variables that point `semp` at the database through this cable."""

    def plug(self) -> None:
        """Listen, on the same port as before."""
        self.listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def unplug(self) -> None:
        """Stop listening and break every connection."""
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for end in self.connections:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.connections.clear()

    @contextmanager
    def holding(self, above: int = 0) -> Generator[None]:
        """During the block, bytes of both directions are held and connections stay open. Afterwards they are passed on.

        Args:
            above: pieces of up to so many bytes pass, so that the database is not silent.
        """
        self._passing = above
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.connections += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=[source, sink], daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if len(data) > self._passing:
                    self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def plugged(target: Target) -> Generator[Cable]:
    """A cable to the database, plugged in; unplugged at the end of the block."""
    cable = Cable(target)
    try:
        yield cable
    finally:
        cable.unplug()
