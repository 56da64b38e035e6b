"""Starts the process of a team."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from bench import Bench
from semp_sdk import Client

Work = Callable[[Bench, str, str], Awaitable[None]]
"""The work of a team; its arguments are the bench, the URL of the service and the trace of the job."""


def run(team: str, work: Work) -> None:
    """Run one team with the options of the command line. First it appends an event that says that the team has started."""
    parser = argparse.ArgumentParser(description=f"Run the {team} team.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    async def main() -> None:
        async with Client(options.url, agent_id=team) as client:
            await client.emit("ready", f"{options.job}.teams", {"status": "here"}, trace_id=options.job, parent_ids=[])
            await work(Bench(client, options.job, options.seed), options.url, options.job)

    asyncio.run(main())
