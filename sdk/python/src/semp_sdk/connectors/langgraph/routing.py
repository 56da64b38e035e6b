"""Routes that follow signals, for `add_conditional_edges`.

    graph.add_conditional_edges("triage", proportional(["search", "ask"], url, scope="support"))

A node's signal has the scope of the graph's recorder and the node's name as its pattern. A recorded run creates it, failures lower it,
rewards raise it, and it fades with time. A route reads the signals when it decides; an absent signal counts 0. While the service does not
answer, the route takes `default`, or chooses as if there were no signals. It asks again 5 seconds later at the earliest.

Arguments that all routes share:

    targets: names of nodes; or a mapping of node to pattern, when a signal has another name than its node.
    url: address of the service.
    scope: scope of the signals, or a function that returns it for a state of the graph.
    default: the target to take while the service does not answer.
    timeout: seconds for one reading.
    headers: sent with every request.
    name: name of the route; two routes from one node need different names.

They raise ValueError when there is no target, `default` is not a target, or the URL is invalid.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from langchain_core.runnables import RunnableLambda

from semp_sdk.connectors.signals import Choice, SignalReader, by_strength, mostly_strongest, strongest

Targets = Sequence[str] | Mapping[str, str]
Scope = str | Callable[[Any], str]
Rng = random.Random | int | None
Route = RunnableLambda[Any, str]


def greedy(
    targets: Targets, url: str = "http://localhost:5000", *, scope: Scope, default: str | None = None, timeout: float = 1.0,
    headers: Mapping[str, str] | None = None, name: str = "greedy",
) -> Route:  # fmt: skip
    """Always the target with the strongest signal; the first of several equal ones."""
    return _route(strongest, targets, SignalReader(url, timeout=timeout, headers=headers), scope, default, None, name)


def proportional(
    targets: Targets, url: str = "http://localhost:5000", *, scope: Scope, floor: float = 0.05, rng: Rng = None,
    default: str | None = None, timeout: float = 1.0, headers: Mapping[str, str] | None = None, name: str = "proportional",
) -> Route:  # fmt: skip
    """Each target with the probability (strength + floor) / sum of all (strength + floor).

    Args:
        floor: 0 or more; gives targets without a signal a chance. With 0 they are never taken while another target has a signal.
        rng: a random number generator or its seed.
    """
    return _route(by_strength(floor), targets, SignalReader(url, timeout=timeout, headers=headers), scope, default, rng, name)


def epsilon(
    targets: Targets, url: str = "http://localhost:5000", *, scope: Scope, explore: float = 0.1, rng: Rng = None,
    default: str | None = None, timeout: float = 1.0, headers: Mapping[str, str] | None = None, name: str = "epsilon",
) -> Route:  # fmt: skip
    """The target with the strongest signal; but with probability `explore` (0..1) any target, all equally likely.

    `rng`: a random number generator or its seed.
    """
    return _route(mostly_strongest(explore), targets, SignalReader(url, timeout=timeout, headers=headers), scope, default, rng, name)


def _route(choose: Choice, targets: Targets, reader: SignalReader, scope: Scope, default: str | None, rng: Rng, name: str) -> Route:
    patterns = dict(targets) if isinstance(targets, Mapping) else {target: target for target in targets}
    if not patterns:
        raise ValueError("targets: at least one")
    if default is not None and default not in patterns:
        raise ValueError(f"default: {default!r} is none of {', '.join(patterns)}")
    numbers = rng if isinstance(rng, random.Random) else random.Random(rng)  # noqa: S311

    def where(state: Any) -> str:
        return scope(state) if callable(scope) else scope

    def decide(strengths: dict[str, float] | None) -> str:
        if strengths is None and default is not None:
            return default
        found = strengths or {}
        return list(patterns)[choose([found.get(pattern, 0.0) for pattern in patterns.values()], numbers)]

    def route(state: Any) -> str:
        return decide(reader.read(where(state)))

    async def aroute(state: Any) -> str:
        return decide(await reader.aread(where(state)))

    for function in (route, aroute):  # so that the graph knows where this may lead
        function.__annotations__ = {"return": Literal[tuple(patterns)]}
    return RunnableLambda(route, aroute, name=name)
