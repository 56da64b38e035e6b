"""An event loop in a thread of its own, so that code without one can use what needs one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from semp_sdk.errors import SempError

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    async def getaddrinfo(self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        try:
            return await super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)
        except RuntimeError:  # the interpreter is ending, and starts no more threads
            return socket.getaddrinfo(host, port, family, type, proto, flags)


class Portal:
    """Starts its thread with the first call; the thread does not keep the process alive."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a coroutine function there.

        Raises:
            SempError: this process was forked from the one the portal works in; a client does not survive that, make a new one.
        """
        with self._lock:
            if self._loop is None:
                self._loop = _Loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="semp-sdk", daemon=True)
                self._process = os.getpid()
                self._thread.start()
            elif self._process != os.getpid():
                raise SempError("a client cannot be used after a fork; make one in each process")
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def call(self, work: Callable[[], Coroutine[Any, Any, T]], timeout: float | None = None) -> T:
        """Run it and wait for the answer.

        Raises:
            RuntimeError: called on the portal's own thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("this would wait for itself; use the async way here")
        return self.submit(work).result(timeout)

    def close(self) -> None:
        """Stop the loop and its thread. Safe to repeat."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None or self._process != os.getpid():
            return
        asyncio.run_coroutine_threadsafe(_settle(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _settle() -> None:
    """Cancel what still runs and let go of the default executor."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    with contextlib.suppress(RuntimeError):  # the interpreter is ending, and takes a thread to wait for threads
        await asyncio.get_running_loop().shutdown_default_executor()
