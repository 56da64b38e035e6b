"""Ids, made by the client so that every request is safe to repeat."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last = 0
_process = 0
_random = b""
POOL = 4_096
"""Random bytes per call of `os.urandom`: each call releases the GIL, and busy threads delay its return."""


def new_id() -> str:
    """A UUID of version 7: 48 bits of milliseconds, then 74 random ones (RFC 9562, section 5.7).

    Ids of one process increase strictly, also within a millisecond and when the clock is set back: a later id is the last one plus a
    random step. Safe to call from several threads and after a fork.
    """
    global _last, _process, _random
    with _lock:
        if _process != os.getpid():  # a forked child must not go on from its parent's last id, as the parent does
            _process = os.getpid()
            _last = 0
            _random = b""
        if len(_random) < 14:
            _random = os.urandom(POOL)
        fresh, step, _random = _random[:10], _random[10:14], _random[14:]
        drawn = (time.time_ns() // 1_000_000) << 74 | int.from_bytes(fresh) & ((1 << 74) - 1)
        _last = drawn if drawn > _last else _last + 1 + int.from_bytes(step)
        number = _last
    milliseconds, upper, lower = number >> 74, (number >> 62) & 0xFFF, number & ((1 << 62) - 1)
    text = f"{milliseconds << 80 | 0x7 << 76 | upper << 64 | 0b10 << 62 | lower:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
