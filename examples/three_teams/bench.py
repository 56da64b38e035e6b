"""The part that all teams have in common: reading signals, choosing modules, running tests, and appending events.

Teams share no files. A repaired module is an event, so the current package is computed from the broken package and the log.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from semp_sdk import Client, Emitted
from semp_sdk.events import EventType
from semp_sdk.tracing import current_trace

PACKAGE = Path(__file__).resolve().parent / "invoices"
OWNER = "owner"
"""The agent that runs all tests before the teams begin."""
IMPORTS: dict[str, tuple[str, ...]] = {
    "money": (), "lines": ("money",), "tax": ("money",), "totals": ("lines", "tax"), "report": ("lines", "money", "totals"),
}  # fmt: skip
"""By module, the modules that it imports."""
FLOOR = 0.05
"""Added to the strength of every module when one is chosen, so that a module without a signal can be chosen too."""
PASSED, FAILED, UNBLOCKED = 0.5, 0.15, 0.4
"""Reward of a module that passes its tests, penalty of a failed try, and reward of the modules that import one that passes."""
PASSES = "passes its tests"
PAUSE = 0.2
"""Seconds between two reads of the log while there is nothing to try."""


async def failures(sources: dict[str, str], module: str) -> list[str]:
    """Run the tests of a module on these sources, in a temporary folder.

    Returns the names of the tests that fail; `unittest` stands for a run that failed without naming a test.
    """
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / PACKAGE.name
        (package / "tests").mkdir(parents=True)
        for test in ("__init__.py", "tests/__init__.py", f"tests/test_{module}.py"):
            (package / test).write_text((PACKAGE / test).read_text())
        for name, source in sources.items():
            (package / f"{name}.py").write_text(source)
        tests = await asyncio.create_subprocess_exec(
            sys.executable, "-B", "-m", "unittest", f"{PACKAGE.name}.tests.test_{module}",
            cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, printed = await tests.communicate()
    failed = re.findall(r"^(?:FAIL|ERROR): (\w+)", printed.decode(), re.MULTILINE)
    return failed or (["unittest"] if tests.returncode else [])


class Bench:
    """One team's view of a job: the package as it is now, and the modules worth a try."""

    def __init__(self, client: Client, job: str, seed: int = 0) -> None:
        """
        Args:
            job: the trace of all events, and the scope of events about a module. The action of those is the name of the module, so the
                signal of a module says how promising it is to work on it now.
            seed: of the random choices.
        """
        self.client = client
        self.sources = {name: (PACKAGE / f"{name}.py").read_text() for name in IMPORTS}
        """The package as it is now, by module."""
        self.mended: dict[str, str] = {}
        """By repaired module, the id of the test that passed."""
        self._job = job
        self._rng = random.Random(seed)
        self._read = 0
        self._offered: dict[str, str] = {}
        """By id of the event that offered it, the text of a module."""
        self._worth_trying: dict[str, str] = {}
        """By module, the id of the newest event that makes it worth a try."""
        self._tried: dict[str, set[str]] = {}
        """By module, the passed tests of its imports at the last try."""

    async def refresh(self) -> None:
        """Read the events since the last call. If a module was repaired twice, the first repair counts."""
        while events := await self.client.events(trace_id=self._job, scope=self._job, after=self._read, order="asc", limit=1000):
            for event in events:
                module = event.payload["action"]
                if "source" in event.payload:
                    self._offered[event.id] = event.payload["source"]
                elif event.payload.get("status") == "passed" and module not in self.mended:
                    self.mended[module] = event.id
                    self.sources[module] = next(self._offered[parent] for parent in event.parent_ids if parent in self._offered)
                elif event.type == "reward" or (event.type == "test" and event.agent_id == OWNER):
                    self._worth_trying[module] = event.id
            self._read = events[-1].position

    async def choose(self) -> str | None:
        """Choose the module to try next at random, in proportion to the strength of its signal, and append a proposal.

        A module is tried only after its tests are known to fail. A team tries it again only after one of its imports was repaired. This
        waits while there is nothing to try.

        Returns None when all modules are repaired.
        """
        while True:
            await self.refresh()
            left = [module for module in IMPORTS if module not in self.mended]
            if not left:
                return None
            worth = [module for module in left if module in self._worth_trying and self._tried.get(module) != self._passed_imports(module)]
            if worth:
                break
            await asyncio.sleep(PAUSE)
        strengths = {signal.pattern: signal.strength for signal in await self.client.signals(scope=self._job)}
        [module] = self._rng.choices(worth, [strengths.get(module, 0.0) + FLOOR for module in worth])
        seen = {name: round(strengths.get(name, 0.0), 2) for name in left}
        await self.emit("proposal", module, self._worth_trying[module], params={"strengths": seen})
        return module

    async def check(self, module: str, source: str) -> list[str]:
        """Offer a text for a module, run its tests, and append the results. Returns the names of the tests that fail."""
        await self.emit("ready", module, status="offered", source=source)
        await self.refresh()
        self._tried[module] = imports_passed = self._passed_imports(module)
        failed = await failures(self.sources | {module: source}, module)
        if failed:
            await self.emit("test", module, *imports_passed, status="failed", failures=failed)
            await self.emit("penalty", module, value=FAILED, reason=f"fails {', '.join(failed)}")
            return failed
        test = await self.emit("test", module, *imports_passed, status="passed")
        await self.emit("reward", module, value=PASSED, reason=PASSES)
        for other, imports in IMPORTS.items():
            if module in imports and other not in self.mended:
                await self._emit("reward", other, [test.id], {"value": UNBLOCKED, "reason": f"{module} works now"})
        return []

    async def emit(self, type: EventType, module: str, *causes: str, **payload: Any) -> Emitted:
        """Append an event about a module. Its parents are the current step of the running framework, and `causes`."""
        here = current_trace()
        return await self._emit(type, module, [*(here.parents if here is not None else ()), *causes], payload)

    async def _emit(self, type: EventType, module: str, causes: list[str], payload: dict[str, Any]) -> Emitted:
        parents = list(dict.fromkeys(causes))
        return await self.client.emit(type, self._job, {"action": module, **payload}, trace_id=self._job, parent_ids=parents)

    def _passed_imports(self, module: str) -> set[str]:
        """The ids of the passed tests of the repaired modules that a module imports."""
        return {self.mended[name] for name in IMPORTS[module] if name in self.mended}
