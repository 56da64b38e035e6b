"""Ants that share nothing but the service find short tours; the same ants without signals do not.

    make ants

This starts a service, or uses the one at --url, which should run with --lambda 0.5 --decay-interval 0.2. For each instance and seed it
runs a colony of ants, each in its own process. It prints a table; --picture FILE draws how the best tours got shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "sdk" / "python" / "src")]

from instance import OPTIMA, edge_id, edge_name, read  # noqa: E402
from semp_sdk import Client  # noqa: E402

from examples.service import fresh_service  # noqa: E402

DECAY = {"--lambda": 0.5, "--decay-interval": 0.2}
"""Options of the service. Signals halve every 0.2 seconds: with 40 rewards per second, they lose 8 % from one reward to the next."""


@dataclass(frozen=True)
class Colony:
    """Some ants on one instance, with a seed; `blind` ants neither read signals nor append rewards."""

    instance: str
    seed: int
    blind: bool
    ants: int
    rounds: int
    tours: int
    pace: float = 0.1
    """Minimum seconds of a round."""
    scope: str = field(default_factory=lambda: f"ants.{uuid.uuid4()}")

    async def prepare(self, client: Client) -> None:
        """Append a proposal for each edge, which creates its signal. The rewards of ants have these proposals as parents."""
        if self.blind:
            return
        await asyncio.gather(*[
            client.emit(
                "proposal", self.scope, {"action": edge_name(a, b)},
                trace_id=self.scope, agent_id="nest", parent_ids=[], id=edge_id(self.scope, a, b),
            )
            for a, b in read(self.instance).edges
        ])  # fmt: skip

    async def forage(self, url: str) -> list[int]:
        """Run all ants; the shortest length of the colony after each round."""
        rounds = await asyncio.gather(*[self.ant(url, number) for number in range(self.ants)])
        return [min(best) for best in zip(*rounds, strict=True)]

    async def ant(self, url: str, number: int) -> list[int]:
        """Run one ant as a process; its shortest length after each round.

        Raises:
            RuntimeError: the process failed.
        """
        command: list[Any] = [
            sys.executable, HERE / "ant.py", "--url", url, "--instance", self.instance, "--scope", self.scope, "--name", f"ant-{number}",
            "--seed", 1_000 * self.seed + number, "--rounds", self.rounds, "--tours", self.tours, "--pace", self.pace,
        ]  # fmt: skip
        command += ["--blind"] if self.blind else []
        process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
        printed, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"an ant ended with exit code {process.returncode}")
        return [json.loads(line)["best"] for line in printed.splitlines()]


async def experiment(url: str, options: argparse.Namespace) -> dict[tuple[str, bool], list[list[int]]]:
    """Run all colonies, `together` at a time. Returns the curves of the colonies, by instance and whether they were blind."""
    curves: dict[tuple[str, bool], list[list[int]]] = {}
    turns = asyncio.Semaphore(options.together)
    async with Client(url, agent_id="nest") as client:

        async def one(colony: Colony) -> None:
            async with turns:
                await colony.prepare(client)
                curve = await colony.forage(url)
            curves.setdefault((colony.instance, colony.blind), []).append(curve)
            kind = "without signals" if colony.blind else "with signals"
            over = 100 * (curve[-1] / OPTIMA[colony.instance] - 1)
            print(f"  {colony.instance}, seed {colony.seed}, {kind}: {curve[-1]}, {over:.1f} % over the optimum", flush=True)

        for blind in (False, True):
            colonies = [
                Colony(instance, seed, blind, options.ants, options.rounds, options.tours)
                for instance in options.instances
                for seed in range(options.seeds)
            ]
            await asyncio.gather(*map(one, colonies))
    return curves


def table(curves: dict[tuple[str, bool], list[list[int]]]) -> Iterable[str]:
    """The lines of the result table, with means over the seeds."""
    yield f"{'':10} {'optimum':>8} {'with signals':>22} {'without':>22}"
    for name in dict.fromkeys(name for name, _ in curves):
        cells: list[str] = []
        for blind in (False, True):
            reached = mean(curve[-1] for curve in curves[name, blind])
            cells.append(f"{reached:10.1f} ({100 * (reached / OPTIMA[name] - 1):+5.1f} %)")
        yield f"{name:10} {OPTIMA[name]:8} {cells[0]:>22} {cells[1]:>22}"


def draw(curves: dict[tuple[str, bool], list[list[int]]], ants: int, tours: int, path: Path) -> None:
    """Draw the percentage over the optimum by tours made: the mean of the seeds as a line, their range as a band."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(name for name, _ in curves))
    figure, axes = plt.subplots(1, len(names), figsize=(5 * len(names), 3.6), sharey=True, squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], names, strict=True):
        for blind, colour, label in ((True, "#b5651d", "without signals"), (False, "#1f6f8b", "with signals")):
            over = [[100 * (best / OPTIMA[name] - 1) for best in curve] for curve in curves[name, blind]]
            made = [ants * tours * (number + 1) for number in range(len(over[0]))]
            columns = list(zip(*over, strict=True))
            axis.fill_between(made, list(map(min, columns)), list(map(max, columns)), color=colour, alpha=0.18, linewidth=0)
            axis.plot(made, list(map(mean, columns)), color=colour, linewidth=2)
            axis.annotate(label, (made[-1], mean(columns[-1])), xytext=(0, 7), textcoords="offset points", ha="right", color=colour)
        axis.set_title(f"{name}, {len(over)} seeds")
        axis.set_xlabel("tours made")
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("best tour, % over the optimum")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the experiment with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="URL of a running service; default: start one")
    parser.add_argument("--instances", nargs="+", default=list(OPTIMA), choices=list(OPTIMA))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--ants", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--tours", type=int, default=10, help="tours an ant makes in a round")
    parser.add_argument(
        "--together", type=int, default=1, help="colonies at a time; if ants wait for processor time, signals fade too much"
    )
    parser.add_argument("--picture", type=Path, help="file for a picture of the curves")
    options = parser.parse_args()
    if find_spec("aiohttp") is None:
        parser.error("the Python SDK's dependencies are missing: .venv/bin/python -m pip install ./sdk/python")
    begun = time.monotonic()
    with fresh_service(options.url, {name: str(value) for name, value in DECAY.items()}) as url:
        print(f"{options.ants} ants, {options.ants * options.rounds * options.tours:,} tours a colony, {url}", flush=True)
        curves = asyncio.run(experiment(url, options))
    print("\n".join(["", *table(curves), f"\n{time.monotonic() - begun:.0f} s"]))
    if options.picture:
        draw(curves, options.ants, options.tours, options.picture)


if __name__ == "__main__":
    main()
