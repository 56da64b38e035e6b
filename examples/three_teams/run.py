"""Three teams in three frameworks repair one package without exchanging messages: they read the events of the others, and choose modules
by signals.

    make teams

This starts a service, or uses the one at --url. It prints what happens and then, from the log, who unblocked whom.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SDK = ROOT / "sdk" / "python" / "src"
sys.path[:0] = [str(HERE), str(ROOT), str(SDK)]

from bench import IMPORTS, OWNER, PACKAGE, PASSES, Bench, failures  # noqa: E402
from semp_sdk import Client  # noqa: E402
from semp_sdk.events import Event  # noqa: E402

from examples.service import fresh_service  # noqa: E402

TEAMS = ("langgraph", "crewai", "autogen")
QUIET = {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_DISABLE_TRACKING": "true", "CREWAI_TRACING_ENABLED": "false"}


async def begin(client: Client, job: str) -> None:
    """Wait until all teams have started, then run the tests of the broken package and append the results."""
    started: set[str] = set()
    async for event in client.stream(trace_id=job, scope=f"{job}.teams", after=0):
        started.add(event.id)
        if len(started) == len(TEAMS):
            break
    begun = await client.emit("proposal", f"{job}.owner", {"action": "mend"}, trace_id=job, parent_ids=list(started))
    sources = Bench(client, job).sources
    for module in IMPORTS:
        result = {"action": module, "status": "failed", "failures": await failures(sources, module)}
        await client.emit("test", job, result, trace_id=job, parent_ids=[begun.id])


async def team(name: str, url: str, job: str, seed: int) -> None:
    """Run the process of a team in the environment of its framework.

    Raises:
        RuntimeError: the process failed; holds what it printed.
    """
    command = [ROOT / f".envs/{name}/bin/python", HERE / f"{name}_team.py", "--url", url, "--job", job, "--seed", seed]
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env=os.environ | QUIET | {"PYTHONPATH": str(SDK)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise RuntimeError(f"the team of {name} ended with {process.returncode}:\n{printed.decode()}")


def line_of(event: Event) -> str | None:
    """The line to print for an event about a module; None if there is nothing to print."""
    payload, module = event.payload, event.payload["action"]
    if event.type == "proposal":
        return f"tries {module:7}  " + "  ".join(f"{name} {strength:.2f}" for name, strength in payload["params"]["strengths"].items())
    if event.type == "test":
        return f"      {module:7}  " + ("PASSES" if payload["status"] == "passed" else f"fails {', '.join(payload['failures'])}")
    if event.type == "reward" and payload["reason"] != PASSES:
        return f"      {module:7}  is worth a try: {payload['reason']}"
    return None


async def follow(client: Client, job: str) -> None:
    """Print the events of the teams as they are committed."""
    begun: float | None = None
    async for event in client.stream(trace_id=job, scope=job, after=0):
        begun = begun or time.monotonic()
        line = None if event.agent_id == OWNER else line_of(event)
        if line is not None:
            print(f"{time.monotonic() - begun:5.1f} s  {event.agent_id:9}  {line}", flush=True)


async def unblocked(client: Client, job: str, mended: dict[str, str]) -> list[str]:
    """Who unblocked whom: for each repaired module, a line with the last repaired import that its passed test had to wait for.

    Args:
        mended: by module, the id of the test that passed.
    """
    lines: list[str] = []
    modules = {test: module for module, test in mended.items()}
    tests = {one.id: one for one in await client.events(trace_id=job, scope=job, type="test", limit=1000)}
    for module, test in mended.items():
        event = tests[test]
        causes = [cause async for cause in client.ancestors(test, type="test") if modules.get(cause.id) in IMPORTS[module]]
        failed = sum(one.payload["action"] == module and one.position < event.position and one.agent_id != OWNER for one in tests.values())
        line = f"{event.agent_id} mended {module}"
        if causes:
            last = max(causes, key=lambda cause: cause.position)
            line += f", unblocked by {last.agent_id}, who had mended {modules[last.id]}"
        lines.append(line + (f" (after {failed} failed {'try' if failed == 1 else 'tries'})" if failed else ""))
    return lines


async def main() -> None:
    """Run the job with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="URL of a running service; default: start one")
    parser.add_argument("--seed", type=int, default=1, help="seed of the teams' random choices")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds after which the job is stopped as failed")
    options = parser.parse_args()
    missing = [name for name in TEAMS if not (ROOT / f".envs/{name}/bin/python").exists()]
    if missing:
        parser.error(f"there is no environment for {', '.join(missing)}: make connectors")
    job = f"{PACKAGE.name}.{uuid.uuid4()}"
    with fresh_service(options.url, {}) as url:
        async with Client(url, agent_id=OWNER) as client:
            print(f"Three teams on the package {PACKAGE.name}; {url}, trace {job}", flush=True)
            bench = Bench(client, job)
            printing = asyncio.create_task(follow(client, job))
            try:
                async with asyncio.timeout(options.patience), asyncio.TaskGroup() as work:
                    work.create_task(begin(client, job))
                    for number, name in enumerate(TEAMS):
                        work.create_task(team(name, url, job, 10 * options.seed + number))
            except TimeoutError:
                sys.exit(f"the package was not mended within {options.patience:g} s")
            except ExceptionGroup as failed:
                sys.exit(str(failed.exceptions[0]))
            await bench.refresh()
            failing = sum([len(await failures(bench.sources, module)) for module in IMPORTS])
            lineage = await unblocked(client, job, bench.mended)
            printing.cancel()
    print("\nWho unblocked whom, from the log:", *[f"  {line}" for line in lineage], f"\n{failing} tests fail", sep="\n")
    sys.exit(1 if failing else 0)


if __name__ == "__main__":
    asyncio.run(main())
