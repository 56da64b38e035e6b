"""Headers that tell browsers what an answer may do. They are part of every answer."""

from __future__ import annotations

CONTENT_POLICY = b"default-src 'none'; frame-ancestors 'none'"
"""Of every answer that brings no policy of its own: data is no page, it loads and runs nothing."""
FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]


def with_policies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and those above."""
    if any(name == b"content-security-policy" for name, _ in headers):
        return [*headers, *FIXED]
    return [*headers, (b"content-security-policy", CONTENT_POLICY), *FIXED]
