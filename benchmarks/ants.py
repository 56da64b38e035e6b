"""The ant colony without pauses: how much slower ants are with signals, which need the service, than without."""

from __future__ import annotations

import asyncio
import time

from benchmarks.report import Report
from benchmarks.servers import running
from examples.ant_colony.run import Colony  # makes the SDK of this checkout importable

from semp_sdk import Client  # isort: skip

ANTS, ROUNDS, TOURS = 4, 60, 10


def colony(report: Report) -> None:
    """Run the same ants without and with signals. With signals, each round reads all signals of the colony and appends a reward."""
    with running("neo4j") as port:
        seconds = {blind: asyncio.run(forage(port, blind)) for blind in (True, False)}
    rounds = ANTS * ROUNDS / seconds[False]
    detail = (
        f"{rounds * TOURS:,.0f} tours, {rounds:,.1f} reads of a colony's signals, {52 * rounds:,.0f} signals moved a second; starts aside"
    )
    report.add("tours a second of 4 ants with signals / of the same ants without", seconds[True] / seconds[False], "-", detail)


async def forage(port: int, blind: bool) -> float:
    """Seconds of ROUNDS rounds of a colony, without the time that its processes take to start."""
    async with Client(f"http://127.0.0.1:{port}", agent_id="nest") as client:
        seconds: list[float] = []
        for rounds in (1, ROUNDS + 1):
            one = Colony("berlin52", 1, blind, ANTS, rounds, TOURS, pace=0.0)
            await one.prepare(client)
            began = time.perf_counter()
            await one.forage(client.url)
            seconds.append(time.perf_counter() - began)
    return seconds[1] - seconds[0]
