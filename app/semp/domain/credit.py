"""Credit along causes: how far up a reward or penalty reaches, and what is left of it there. Pure.

A reward is discounted once for each PARENT hop beyond the proposals it answers to, as an eligibility trace discounts it for each step
back in time (Sutton and Barto, Reinforcement Learning, chapter 12):

    share = discount ** (hops - hops of the proposals it answers to)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from semp.domain.causes import Proposal

DEFAULT_DEPTH = 8
MAX_DEPTH = 64
"""PARENT hops that credit may be asked to reach, at most."""
MAX_CREDITED = 1_000
"""Proposals one event credits, at most: the nearest, and of the same distance the newest."""

Reached = tuple[Proposal, int]
"""A proposal among the causes and its shortest distance in PARENT hops."""


class Credit(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What `payload.credit` of a reward or penalty asks for."""

    discount: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """What is left after each hop, 0..1; 0 credits nothing further."""
    max_depth: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEPTH)] = DEFAULT_DEPTH
    """PARENT hops from the event, at most."""


class Credited(msgspec.Struct, frozen=True, gc=False):
    """A proposal further up that an event credits."""

    proposal: Proposal
    share: float
    """What reaches it of the event's value, above 0, at most 1."""


def credited(reached: Iterable[Reached], beyond: int, credit: Credit) -> tuple[Credited, ...]:
    """The proposals an event credits besides those it answers to, nearest first, then newest first.

    Args:
        reached: proposals among its causes, each at its shortest distance.
        beyond: hops to the proposals it answers to, 0 when its own action says which signal it moves.
    """
    if credit.discount == 0:
        return ()
    further = [(hops, -proposal.position, proposal) for proposal, hops in reached if beyond < hops <= credit.max_depth]
    further.sort(key=lambda found: found[:2])
    return tuple([Credited(proposal, credit.discount ** (hops - beyond)) for hops, _, proposal in further[:MAX_CREDITED]])
