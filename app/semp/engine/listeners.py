"""Callbacks for one kind of occurrence, any number of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")
log = logging.getLogger(__name__)


class Listeners(Generic[P]):
    """Callables that are called in the order they were added. Use it from one event loop only; a listener must not block.

    An exception in one listener is logged. The other listeners are still called, and `notify` does not raise it.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Callable[P, object], ...] = ()

    def add(self, listener: Callable[P, object]) -> None:
        """Call it from now on. Adding it a second time changes nothing."""
        if listener not in self._listeners:
            self._listeners = (*self._listeners, listener)

    def remove(self, listener: Callable[P, object]) -> None:
        """Stop calling it. Safe to repeat."""
        self._listeners = tuple([one for one in self._listeners if one != listener])

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all listeners. One that is removed by another during the call may still be called once."""
        for listener in self._listeners:
            try:
                listener(*args, **kwargs)
            except Exception:
                log.exception("a listener failed")
