"""Entity tags by position of the log, for answers that change only with an event, or by decay (RFC 9110, section 8.8.3)."""

from __future__ import annotations


def position_tag(epoch: str, *place: int) -> str:
    """The weak tag of an answer as of a place in a log, such as `W/"630eb68f-e0fa-5ecc-887a-7c7a62614681:7"`.

    Args:
        epoch: of the log.
        place: position, and for a moment of the past also its time.
    """
    return f'W/"{":".join([epoch, *map(str, place)])}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the header `If-None-Match` names the tag, or is `*`. Weak and strong tags are compared alike, as that header requires."""
    if if_none_match is None:
        return False
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return known == ["*"] or tag.removeprefix("W/") in known
