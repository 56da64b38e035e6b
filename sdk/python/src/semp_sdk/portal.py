"""An event loop in a background thread, so that synchronous code can run coroutines."""

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
        except RuntimeError:  # the interpreter is shutting down and cannot start threads
            return socket.getaddrinfo(host, port, family, type, proto, flags)


class Portal:
    """Starts its thread with the first call; the thread does not keep the process alive."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a coroutine function in the background thread.

        Raises:
            SempError: this process was forked from the portal's own; make a new client in each process.
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
            RuntimeError: called on the portal's own thread, which would deadlock.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("this would deadlock; use the async method here")
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
    """Cancel running tasks and shut the default executor down."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    with contextlib.suppress(RuntimeError):  # the interpreter is shutting down, and this needs a thread
        await asyncio.get_running_loop().shutdown_default_executor()
