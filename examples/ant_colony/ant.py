"""One ant: a process that knows the map and the service, and nobody else.

It reads how strong the edges are, makes some tours, and rewards the edges of the best. Prints a line of JSON for each round.
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
"""Exponent of the distance: how much an ant prefers near cities by itself."""
FLOOR = 0.01
"""What an edge without a signal counts as; the service lets fade what is weaker."""
VALUE = 0.025
"""Reward of a tour as long as the greedy one."""
QUALITY = 4
"""Exponent of how much shorter a tour is."""
STUBBORN = 0.3
"""Chance that an ant rewards the best tour it ever made instead of the round's."""


def weights(instance: Instance, strengths: dict[str, float]) -> list[list[float]]:
    """How attractive each edge is: its signal, and how short it is."""
    size = len(instance.cities)
    found = [[FLOOR / max(1, distance) ** GREED for distance in row] for row in instance.distances]
    for name, strength in strengths.items():
        a, b = map(int, name.split("-"))
        if a < size and b < size:
            found[a][b] = found[b][a] = (FLOOR + strength) / max(1, instance.distances[a][b]) ** GREED
    return found


async def forage(client: Client, instance: Instance, options: argparse.Namespace) -> None:
    """All rounds of an ant."""
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
    """One ant, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--scope", required=True)
    parser.add_argument("--name", default="ant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--tours", type=int, default=10, help="tours in a round; the best one is rewarded")
    parser.add_argument("--pace", type=float, default=0.1, help="seconds a round takes at least: signals fade with time")
    parser.add_argument("--blind", action="store_true", help="neither read signals nor leave any")
    options = parser.parse_args()
    async with Client(options.url, agent_id=options.name) as client:
        await forage(client, read(options.instance), options)


if __name__ == "__main__":
    asyncio.run(main())
