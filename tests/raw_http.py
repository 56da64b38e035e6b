"""HTTP as bytes over a TCP connection, for requests that no HTTP library would send."""

from __future__ import annotations

import array
import fcntl
import re
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import NamedTuple

import httpx

from tests.conftest import Service
from tests.waiting import eventually

SIOCOUTQ = 0x5411
"""The Linux request that tells how many sent bytes the other side has not acknowledged."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    head: bytes
    """Status line and headers."""
    body: bytes
    """As long as its `content-length` says; empty where there is none."""


class Connection:
    """An open connection. `socket` is there for what this class does not do."""

    def __init__(self, open_socket: socket.socket) -> None:
        self.socket = open_socket
        self._received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_until_acknowledged(self) -> None:
        """Wait until the other side has acknowledged all bytes, so that what is sent next comes in a packet of its own."""
        left = array.array("i", [1])

        def acknowledged() -> bool:
            fcntl.ioctl(self.socket.fileno(), SIOCOUTQ, left)
            return not left[0]

        eventually("the other side has acknowledged all bytes", acknowledged, 10)

    def answer(self) -> Answer:
        """The next answer. Answers that come together are read one by one.

        Raises:
            ConnectionError: the other side closed the connection before the end of the answer.
            TimeoutError: nothing came within the socket's timeout.
        """
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        self._received = rest
        while len(self._received) < size:
            self._receive()
        body, self._received = self._received[:size], self._received[size:]
        return Answer(int(head.split(b" ", 2)[1]), head, body)

    def _receive(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError(f"closed after {self._received!r}")
        self._received += data


@contextmanager
def connection(service: Service, timeout: float = 20) -> Generator[Connection]:
    """A connection to the service, closed at the end of the block. Each part that is sent is a packet of its own."""
    url = httpx.URL(service.url)
    with closing(socket.create_connection((url.host, url.port or 0), timeout=timeout)) as open_socket:
        open_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(open_socket)


def exchange(service: Service, *parts: bytes) -> Answer:
    """Send the parts on a connection of their own, each once the one before was acknowledged; the answer."""
    with connection(service) as open_connection:
        for number, part in enumerate(parts):
            if number:
                open_connection.wait_until_acknowledged()
            open_connection.send(part)
        return open_connection.answer()
