"""Three teams of three frameworks mend one package and exchange no message: they see what the others left, and choose by the signals.

    make teams

Starts a service of its own (or takes the one of --url). Prints what happens, then from the log who unblocked whom.
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
    """Once all teams are there, run the tests of the package as it stands, and leave what they say."""
    there: set[str] = set()
    async for event in client.stream(trace_id=job, scope=f"{job}.teams", after=0):
        there.add(event.id)
        if len(there) == len(TEAMS):
            break
    begun = await client.emit("proposal", f"{job}.owner", {"action": "mend"}, trace_id=job, parent_ids=list(there))
    sources = Bench(client, job).sources
    for module in IMPORTS:
        told = {"action": module, "status": "failed", "failures": await failures(sources, module)}
        await client.emit("test", job, told, trace_id=job, parent_ids=[begun.id])


async def team(name: str, url: str, job: str, seed: int) -> None:
    """A team's process, in the environment of its framework."""
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
    """What to print of an event about a module."""
    told, module = event.payload, event.payload["action"]
    if event.type == "proposal":
        return f"tries {module:7}  " + "  ".join(f"{name} {strength:.2f}" for name, strength in told["params"]["strengths"].items())
    if event.type == "test":
        return f"      {module:7}  " + ("PASSES" if told["status"] == "passed" else f"fails {', '.join(told['failures'])}")
    if event.type == "reward" and told["reason"] != PASSES:
        return f"      {module:7}  is worth a try: {told['reason']}"
    return None


async def follow(client: Client, job: str) -> None:
    """Print what the teams do, as it is committed."""
    begun: float | None = None
    async for event in client.stream(trace_id=job, scope=job, after=0):
        begun = begun or time.monotonic()
        line = None if event.agent_id == OWNER else line_of(event)
        if line is not None:
            print(f"{time.monotonic() - begun:5.1f} s  {event.agent_id:9}  {line}", flush=True)


async def unblocked(client: Client, job: str, mended: dict[str, str]) -> list[str]:
    """Who unblocked whom: the tests with which modules came to pass, and the last one among them that each had to wait for."""
    lines: list[str] = []
    modules = {test: module for module, test in mended.items()}
    tests = {one.id: one for one in await client.events(trace_id=job, scope=job, type="test", limit=1000)}
    for module, test in mended.items():
        event = tests[test]
        causes = [cause async for cause in client.ancestors(test, type="test") if modules.get(cause.id) in IMPORTS[module]]
        vain = sum(one.payload["action"] == module and one.position < event.position and one.agent_id != OWNER for one in tests.values())
        line = f"{event.agent_id} mended {module}"
        if causes:
            last = max(causes, key=lambda cause: cause.position)
            line += f", unblocked by {last.agent_id}, who had mended {modules[last.id]}"
        lines.append(line + (f" ({vain} tries before, in vain)" if vain else ""))
    return lines


async def main() -> None:
    """The job, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a service that runs; else one is started")
    parser.add_argument("--seed", type=int, default=1, help="of the teams' choices")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds after which the job is given up")
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
            left = sum([len(await failures(bench.sources, module)) for module in IMPORTS])
            lineage = await unblocked(client, job, bench.mended)
            printing.cancel()
    print("\nWho unblocked whom, from the log:", *[f"  {line}" for line in lineage], f"\n{left} tests fail", sep="\n")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    asyncio.run(main())
