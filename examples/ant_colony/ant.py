"""One ant: a process that knows only the map and the service, and no other ant.

In each round it reads the strengths of the edges, makes some tours, and rewards the edges of the best tour. It prints one line of JSON per
round: the number of the `round`, and the length of the `best` tour so far.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "sdk" / "python" / "src")]

from instance import Instance, edge_id, read, walk  # noqa: E402
from semp_sdk import Client  # noqa: E402

GREED = 3
"""Exponent of the distance: how strongly an ant prefers near cities, independent of signals."""
FLOOR = 0.01
"""Strength that an ant assumes for an edge without a signal; the service removes signals that are weaker."""
VALUE = 0.025
"""Reward of a tour that is as long as the greedy tour."""
QUALITY = 4
"""Exponent of the ratio of the greedy tour's length to the tour's length, in the reward."""
STUBBORN = 0.3
"""Probability that an ant rewards its best tour of all rounds instead of the best tour of the round."""


def weights(instance: Instance, strengths: dict[str, float]) -> list[list[float]]:
    """The weight of each edge, by both cities: larger if its signal is stronger or the edge is shorter."""
    size = len(instance.cities)
    attraction = [[FLOOR / max(1, distance) ** GREED for distance in row] for row in instance.distances]
    for name, strength in strengths.items():
        a, b = map(int, name.split("-"))
        if a < size and b < size:
            attraction[a][b] = attraction[b][a] = (FLOOR + strength) / max(1, instance.distances[a][b]) ** GREED
    return attraction


async def forage(client: Client, instance: Instance, options: argparse.Namespace) -> None:
    """Run all rounds of an ant."""
    rng = random.Random(options.seed)
    scope = options.scope
    best: list[int] | None = None
    ordinary = instance.greedy()
    begun = time.monotonic()
    for number in range(options.rounds):
        strengths: dict[str, float] = {}
        if not options.blind:
            strengths = {signal.pattern: signal.strength for signal in await client.signals(scope=scope)}
        attraction = weights(instance, strengths)
        tour = min((walk(instance, attraction, rng) for _ in range(options.tours)), key=instance.length)
        if best is None or instance.length(tour) < instance.length(best):
            best = tour
        if not options.blind:
            chosen = best if rng.random() < STUBBORN else tour
            length = instance.length(chosen)
            parents = [edge_id(scope, a, b) for a, b in pairwise([*chosen, chosen[0]])]
            value = min(1.0, VALUE * (ordinary / length) ** QUALITY)
            await client.emit("reward", scope, {"value": value, "length": length}, trace_id=scope, parent_ids=parents)
            await asyncio.sleep(max(0.0, begun + (number + 1) * options.pace - time.monotonic()))
        print(json.dumps({"round": number + 1, "best": instance.length(best)}), flush=True)


async def main() -> None:
    """Run one ant with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--scope", required=True)
    parser.add_argument("--name", default="ant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--tours", type=int, default=10, help="tours in a round; the best one is rewarded")
    parser.add_argument("--pace", type=float, default=0.1, help="minimum seconds of a round, because signals fade with time")
    parser.add_argument("--blind", action="store_true", help="neither read signals nor append rewards")
    options = parser.parse_args()
    async with Client(options.url, agent_id=options.name) as client:
        await forage(client, read(options.instance), options)


if __name__ == "__main__":
    asyncio.run(main())
