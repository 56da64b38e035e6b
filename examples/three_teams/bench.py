"""What every team has: the service, the broken package as it was, and Python to run tests with.

Teams do not share files. A mended module is an event like everything else, so the package of today is the broken one and the log.
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
"""Who runs all tests before the teams begin."""
IMPORTS: dict[str, tuple[str, ...]] = {
    "money": (), "lines": ("money",), "tax": ("money",), "totals": ("lines", "tax"), "report": ("lines", "money", "totals"),
}  # fmt: skip
FLOOR = 0.05
"""Chance of a module without a signal, beside the strengths of the others."""
GOES, FAILS, GOES_ON = 0.5, 0.15, 0.4
"""Reward of a module that passes, penalty of a try that does not, reward of the modules that import one that passes."""
PASSES = "passes its tests"
PAUSE = 0.2
"""Seconds between looks while there is nothing to try."""


async def failures(sources: dict[str, str], module: str) -> list[str]:
    """The names of a module's tests that fail on these sources."""
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
    found = re.findall(r"^(?:FAIL|ERROR): (\w+)", printed.decode(), re.MULTILINE)
    return found or (["unittest"] if tests.returncode else [])


class Bench:
    """One team's place in a job."""

    def __init__(self, client: Client, job: str, seed: int = 0) -> None:
        """`job`: the trace of all that is done, and the scope of what concerns a module. Of that the action is the module's name, so its
        signal says how promising it is to work on it now.
        """
        self.client = client
        self.sources = {name: (PACKAGE / f"{name}.py").read_text() for name in IMPORTS}
        """The package as it is now."""
        self.mended: dict[str, str] = {}
        """The test with which each module came to pass."""
        self._job = job
        self._rng = random.Random(seed)
        self._read = 0
        self._offered: dict[str, str] = {}
        self._drawn: dict[str, str] = {}
        """By module, the newest event that says it is worth a try."""
        self._tried: dict[str, set[str]] = {}

    async def refresh(self) -> None:
        """Take in what was left since the last time. The first mended module of a name counts."""
        while events := await self.client.events(trace_id=self._job, scope=self._job, after=self._read, order="asc", limit=1000):
            for event in events:
                module = event.payload["action"]
                if "source" in event.payload:
                    self._offered[event.id] = event.payload["source"]
                elif event.payload.get("status") == "passed" and module not in self.mended:
                    self.mended[module] = event.id
                    self.sources[module] = next(self._offered[parent] for parent in event.parent_ids if parent in self._offered)
                elif event.type == "reward" or (event.type == "test" and event.agent_id == OWNER):
                    self._drawn[module] = event.id
            self._read = events[-1].position

    async def choose(self) -> str | None:
        """The module to try next: by chance, in proportion to the strength of its signal. None: all are mended.

        Nothing is tried before its tests are known to fail, and by no team twice unless something was mended that it imports. While
        there is nothing to try, this waits.
        """
        while True:
            await self.refresh()
            left = [module for module in IMPORTS if module not in self.mended]
            if not left:
                return None
            worth = [module for module in left if module in self._drawn and self._tried.get(module) != self._under(module)]
            if worth:
                break
            await asyncio.sleep(PAUSE)
        strengths = {signal.pattern: signal.strength for signal in await self.client.signals(scope=self._job)}
        [module] = self._rng.choices(worth, [strengths.get(module, 0.0) + FLOOR for module in worth])
        seen = {name: round(strengths.get(name, 0.0), 2) for name in left}
        await self.leave("proposal", module, self._drawn[module], params={"strengths": seen})
        return module

    async def check(self, module: str, source: str) -> list[str]:
        """Offer a module, run its tests and say what they say. Answers the names of those that fail."""
        await self.leave("ready", module, status="offered", source=source)
        await self.refresh()
        self._tried[module] = under = self._under(module)
        failed = await failures(self.sources | {module: source}, module)
        if failed:
            await self.leave("test", module, *under, status="failed", failures=failed)
            await self.leave("penalty", module, value=FAILS, reason=f"fails {', '.join(failed)}")
            return failed
        test = await self.leave("test", module, *under, status="passed")
        await self.leave("reward", module, value=GOES, reason=PASSES)
        for other, imports in IMPORTS.items():
            if module in imports and other not in self.mended:
                await self._leave("reward", other, [test.id], {"value": GOES_ON, "reason": f"{module} works now"})
        return []

    async def leave(self, type: EventType, module: str, *causes: str, **payload: Any) -> Emitted:
        """An event about a module, which follows from what the running code does and from these."""
        here = current_trace()
        return await self._leave(type, module, [*(here.parents if here is not None else ()), *causes], payload)

    async def _leave(self, type: EventType, module: str, causes: list[str], payload: dict[str, Any]) -> Emitted:
        parents = list(dict.fromkeys(causes))
        return await self.client.emit(type, self._job, {"action": module, **payload}, trace_id=self._job, parent_ids=parents)

    def _under(self, module: str) -> set[str]:
        """The mended modules it imports, as the tests they came to pass with."""
        return {self.mended[name] for name in IMPORTS[module] if name in self.mended}
