"""The ant colony as fast as it goes: how much of the ants' own speed the service leaves them."""

from __future__ import annotations

import asyncio
import time

from benchmarks.report import Report
from benchmarks.servers import running
from examples.ant_colony.run import Colony  # makes the SDK of this checkout importable

from semp_sdk import Client  # isort: skip

ANTS, ROUNDS, TOURS = 4, 60, 10


def colony(report: Report) -> None:
    """The same ants with signals and without, one after the other; each round reads all signals of the colony and leaves a reward."""
    with running("neo4j") as port:
        seconds = {blind: asyncio.run(forage(port, blind)) for blind in (True, False)}
    rounds = ANTS * ROUNDS / seconds[False]
    detail = (
        f"{rounds * TOURS:,.0f} tours, {rounds:,.1f} reads of a colony's signals, {52 * rounds:,.0f} signals moved a second; starts aside"
    )
    report.add("tours a second of 4 ants with signals / of the same ants without", seconds[True] / seconds[False], "-", detail)


async def forage(port: int, blind: bool) -> float:
    """Seconds that a colony takes, less what its processes take to start."""
    async with Client(f"http://127.0.0.1:{port}", agent_id="nest") as client:
        taken: list[float] = []
        for rounds in (1, ROUNDS + 1):
            one = Colony("berlin52", 1, blind, ANTS, rounds, TOURS, pace=0.0)
            await one.prepare(client)
            began = time.perf_counter()
            await one.forage(client.url)
            taken.append(time.perf_counter() - began)
    return taken[1] - taken[0]
