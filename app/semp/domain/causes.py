"""Which proposals an event answers to. Its parents carry the answer, so a commit looks up the parents and never searches the graph."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

MAX_NEAREST = 10_000
"""Nearest proposals of one event, at most. An append with more is refused, because every descendant would have to carry them."""


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """A proposal, as the events that answer to it store it. Its signal is `scope:action`."""

    position: int
    scope: str
    action: str


class Cause(msgspec.Struct, frozen=True, gc=False):
    """What an event hands on to its children: the proposals nearest to it along PARENT, and their distance.

    A proposal is its own nearest, at distance 0.
    """

    position: int
    nearest: tuple[Proposal, ...] = ()
    """In order of position; empty when there is no proposal among the event's causes."""
    distance: int = 0
    """PARENT hops from the event to `nearest`; also 0 when `nearest` is empty."""


def nearest(parents: Iterable[Cause]) -> tuple[tuple[Proposal, ...], int]:
    """The proposals nearest to a child of `parents`, in order of position, and the PARENT hops to them; `((), 0)` when there are none."""
    best: dict[int, Proposal] = {}
    distance = 0
    for parent in parents:
        if not parent.nearest:
            continue
        hops = parent.distance + 1
        if not best or hops < distance:
            best, distance = {}, hops
        if hops == distance:
            best.update((proposal.position, proposal) for proposal in parent.nearest)
    return tuple(best[position] for position in sorted(best)), distance
