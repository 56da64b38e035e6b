"""The mirror of the SDK compared with the bare driver fetching the same rows."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks import bare
from benchmarks.histories import history
from benchmarks.report import Report
from benchmarks.rest import asking
from benchmarks.servers import running, target
from benchmarks.turns import in_turn, milliseconds, ratio

SOURCE = Path(__file__).parents[1] / "sdk" / "python" / "src"
sys.path.append(str(SOURCE))

from semp_sdk import Client  # noqa: E402
from semp_sdk.mirror import Bolt, Mirror  # noqa: E402

ROWS = """
MATCH (event:Event) WHERE event.position > 0
RETURN event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.payload, event.position
ORDER BY event.position
"""


def against_bare_driver(report: Report, size: int = 50_000, rounds: int = 9) -> None:
    """Fetch the whole graph, nodes and edges, over REST and over Bolt. The bare driver only reads the rows and builds no graph."""
    with running("neo4j") as port, asking(port) as rest, bare.connect() as driver, driver.session() as session:
        rest.store(history(size - 1))
        database = target()
        bolt = Bolt(database.uri, database.user, database.password, service=f"http://127.0.0.1:{port}")

        async def mirrored(source: Client | Bolt) -> int:
            return len(await Mirror.fetch(source))

        async def through_rest() -> int:
            async with Client(f"http://127.0.0.1:{port}") as client:
                return await mirrored(client)

        with asyncio.Runner() as runner:
            sides = {
                "rest": lambda: runner.run(through_rest()),
                "bolt": lambda: runner.run(mirrored(bolt)),
                "bare": lambda: len(session.run(ROWS).values()),
            }
            assert {side() for side in sides.values()} == {size}
            times = in_turn(sides, rounds)
    for side, way in (("bolt", "over Bolt"), ("rest", "over REST")):
        detail = f"{milliseconds(times, side)}, bare {milliseconds(times, 'bare')}"
        report.add(f"mirror of {size:,} events {way} / bare driver", ratio(times, side, "bare"), "at most 1.5", detail)
