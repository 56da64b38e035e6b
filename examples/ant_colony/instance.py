"""Instances of the travelling-salesman problem in the format of TSPLIB, and random tours."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

OPTIMA = {"berlin52": 7542, "eil51": 426}
"""Proven lengths of the shortest tours, from TSPLIB (Reinelt 1991)."""
NEIGHBOURS = 15
"""Number of nearest cities among which an ant chooses the next one."""


@dataclass(frozen=True)
class Instance:
    """Cities and the distances between them, rounded to integers as TSPLIB's EUC_2D requires."""

    name: str
    cities: list[tuple[float, float]]
    distances: list[list[int]]
    near: list[list[int]]
    """For each city, its NEIGHBOURS nearest other cities, nearest first."""

    @property
    def edges(self) -> list[tuple[int, int]]:
        """All pairs of cities, each with the smaller number first."""
        return [(a, b) for a in range(len(self.cities)) for b in range(a + 1, len(self.cities))]

    def length(self, tour: Sequence[int]) -> int:
        """Length of the closed tour."""
        return sum(self.distances[a][b] for a, b in pairwise([*tour, tour[0]]))

    def greedy(self) -> int:
        """Length of the tour that starts at the first city and always goes to the nearest city not yet visited."""
        tour, left = [0], set(range(1, len(self.cities)))
        while left:
            tour.append(min(left, key=self.distances[tour[-1]].__getitem__))
            left.remove(tour[-1])
        return self.length(tour)


def read(name: str) -> Instance:
    """Read the file `name`.tsp of this folder."""
    lines = (Path(__file__).parent / f"{name}.tsp").read_text("utf-8").splitlines()
    rows = lines[lines.index("NODE_COORD_SECTION") + 1 : lines.index("EOF")]
    cities = [(float(x), float(y)) for _, x, y in map(str.split, rows)]
    distances = [[int(math.dist(a, b) + 0.5) for b in cities] for a in cities]
    order = [sorted((b for b in range(len(cities)) if b != a), key=row.__getitem__) for a, row in enumerate(distances)]
    return Instance(name, cities, distances, [row[:NEIGHBOURS] for row in order])


def edge_name(a: int, b: int) -> str:
    """The pattern of an edge's signal, such as `3-17`; the order of the cities does not matter."""
    return f"{min(a, b)}-{max(a, b)}"


def edge_id(scope: str, a: int, b: int) -> str:
    """The id of the proposal for an edge. It is computed from the scope and the edge, so ants need no look-up."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{scope} {edge_name(a, b)}"))


def walk(instance: Instance, weights: Sequence[Sequence[float]], rng: random.Random) -> list[int]:
    """A random tour. The next city is chosen among the nearest cities not yet visited, in proportion to the weights of the edges; if all of
    those are visited, it is the remaining city with the largest weight.
    """
    here = rng.randrange(len(instance.cities))
    tour, left = [here], set(range(len(instance.cities))) - {here}
    while left:
        row = weights[here]
        choices = [city for city in instance.near[here] if city in left]
        here = rng.choices(choices, [row[city] for city in choices])[0] if choices else max(left, key=row.__getitem__)
        left.remove(here)
        tour.append(here)
    return tour
