"""Which proposals an event answers to: decided from what its parents carry, so a commit needs a look-up, never a search."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

MAX_NEAREST = 10_000
"""Nearest proposals one event may have; an append beyond it is refused, since every descendant would carry them."""


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """A proposal as others answer to it: the signal at `scope:action`."""

    position: int
    scope: str
    action: str


class Cause(msgspec.Struct, frozen=True, gc=False):
    """What an event hands on to its children: the proposals nearest to it along PARENT, and how far they are.

    A proposal is its own nearest, at distance 0. `nearest` is in order of position; empty when no proposal is among the causes.
    """

    position: int
    nearest: tuple[Proposal, ...] = ()
    distance: int = 0


def nearest(parents: Iterable[Cause]) -> tuple[tuple[Proposal, ...], int]:
    """All proposals at the smallest distance above a child of `parents`, and that distance; `((), 0)` when there is none."""
    best: dict[int, Proposal] = {}
    distance = 0
    for parent in parents:
        if not parent.nearest:
            continue
        away = parent.distance + 1
        if not best or away < distance:
            best, distance = {}, away
        if away == distance:
            best.update((proposal.position, proposal) for proposal in parent.nearest)
    return tuple(best[position] for position in sorted(best)), distance
