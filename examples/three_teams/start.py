"""How each team's process begins."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from bench import Bench
from semp_sdk import Client

Work = Callable[[Bench, str, str], Awaitable[None]]
"""All of a team's work, given the URL of the service and the job's trace."""


def run(team: str, work: Work) -> None:
    """One team, as the command line says."""
    parser = argparse.ArgumentParser(description=f"The team that is built with {team}.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    async def main() -> None:
        async with Client(options.url, agent_id=team) as client:
            await client.emit("ready", f"{options.job}.teams", {"status": "here"}, trace_id=options.job, parent_ids=[])
            await work(Bench(client, options.job, options.seed), options.url, options.job)

    asyncio.run(main())
