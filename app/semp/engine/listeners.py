"""Any number of listeners to one thing that happens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")
log = logging.getLogger(__name__)


class Listeners(Generic[P]):
    """Callables that are called in the order they were added. Belongs to one event loop; a listener must not block.

    An error of one listener is logged. It reaches neither the other listeners nor whoever reports what happened.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Callable[P, object], ...] = ()

    def add(self, listener: Callable[P, object]) -> None:
        """Call it from now on. One that is there already stays where it is and is called once."""
        if listener not in self._listeners:
            self._listeners = (*self._listeners, listener)

    def remove(self, listener: Callable[P, object]) -> None:
        """Call it no more. Safe to repeat."""
        self._listeners = tuple([one for one in self._listeners if one != listener])

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call them all. One that is removed meanwhile may still be called this time."""
        for listener in self._listeners:
            try:
                listener(*args, **kwargs)
            except Exception:
                log.exception("a listener failed")
