"""Credit along causes: how far up a reward or penalty reaches, and which share of its value arrives there. Pure functions.

The proposals that a reward answers to get its whole value. Each PARENT hop beyond them discounts it once, as an eligibility trace
discounts a reward for each step back in time (Sutton and Barto, Reinforcement Learning, chapter 12):

    share = discount ** (hops to the proposal - hops to the proposals that the reward answers to)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from semp.domain.causes import Proposal

DEFAULT_DEPTH = 8
"""PARENT hops that credit reaches unless another depth is set."""
MAX_DEPTH = 64
"""PARENT hops that credit can reach, at most."""
MAX_CREDITED = 1_000
"""Proposals that one event credits, at most: the nearest ones, and at the same distance the newest ones."""

Reached = tuple[Proposal, int]
"""A proposal among an event's causes, and its shortest distance from the event in PARENT hops."""


class Credit(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`payload.credit` of a reward or penalty."""

    discount: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """Factor for each hop, 0..1. With 0, the event credits no proposals further up."""
    max_depth: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEPTH)] = DEFAULT_DEPTH
    """PARENT hops from the event that credit reaches, 1..64."""


class Credited(msgspec.Struct, frozen=True, gc=False):
    """A proposal that an event credits, further up than the proposals it answers to."""

    proposal: Proposal
    share: float
    """Part of the event's value that reaches the proposal, 0..1."""


def credited(reached: Iterable[Reached], beyond: int, credit: Credit) -> tuple[Credited, ...]:
    """The proposals that an event credits besides those it answers to: nearest first, then newest first, MAX_CREDITED at most.

    Args:
        reached: the proposals among the event's causes, each at its shortest distance.
        beyond: hops to the proposals that the event answers to; 0 when its own `action` names the signal. Only proposals farther away
            are credited.
    """
    if credit.discount == 0:
        return ()
    further = [(hops, -proposal.position, proposal) for proposal, hops in reached if beyond < hops <= credit.max_depth]
    further.sort(key=lambda candidate: candidate[:2])
    return tuple([Credited(proposal, credit.discount ** (hops - beyond)) for hops, _, proposal in further[:MAX_CREDITED]])
