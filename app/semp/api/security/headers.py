"""Security headers, which tell browsers what an answer may do. Every answer has them."""

from __future__ import annotations

CONTENT_POLICY = b"default-src 'none'; frame-ancestors 'none'"
"""The policy of every answer that does not set its own. It lets a browser load and run nothing."""
FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
STANDARD = [(b"content-security-policy", CONTENT_POLICY), *FIXED]


def with_policies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer together with the security headers. A content security policy that the answer has is kept."""
    for name, _ in headers:
        if name == b"content-security-policy":
            return [*headers, *FIXED]
    return [*headers, *STANDARD]
