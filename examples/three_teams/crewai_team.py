"""The CrewAI team. It makes one crew per module that it tries: one agent with one task, whose guardrail runs the module's tests."""

from __future__ import annotations

import asyncio
from typing import Any

from bench import Bench
from crewai import Agent, Crew, Task
from crewai.llms.base_llm import BaseLLM
from script import answer
from semp_sdk.connectors.crewai import SempListener
from semp_sdk.tracing import trace
from start import run

TEAM = "crewai"


class Scripted(BaseLLM):
    """A stand-in for any model: it always gives the same answer."""

    text: str

    def call(self, *_: Any, **__: Any) -> str:
        return f"Thought: I now can give a great answer\nFinal Answer: {self.text}"


def mend(bench: Bench, listener: SempListener, module: str, loop: asyncio.AbstractEventLoop) -> None:
    """Try one module. This runs in a thread, because crews and guardrails block."""

    def passes_its_tests(output):  # CrewAI accepts either no annotations or its own
        with listener.here():
            failed = asyncio.run_coroutine_threadsafe(bench.check(module, output.raw + "\n"), loop).result()
        return (not failed, "fails " + ", ".join(failed) if failed else output.raw)

    model = Scripted(model="scripted", text=answer(TEAM, module, bench.sources[module]))
    mender = Agent(role="Mender", goal="Mend Python modules", backstory="Reads tests first", llm=model)
    task = Task(
        name=module, description=f"Mend this module:\n{bench.sources[module]}", expected_output="The module", agent=mender,
        guardrail=passes_its_tests, guardrail_max_retries=0,
    )  # fmt: skip
    try:
        Crew(name="menders", agents=[mender], tasks=[task]).kickoff()
    except Exception as error:
        if "guardrail" not in str(error):
            raise


async def work(bench: Bench, url: str, job: str) -> None:
    """Try modules until the whole package is repaired."""
    with SempListener(url, scope=TEAM, trace_id=job) as listener:
        while True:
            with trace(job):
                module = await bench.choose()
                if module is None:
                    return
                await asyncio.to_thread(mend, bench, listener, module, asyncio.get_running_loop())


if __name__ == "__main__":
    run(TEAM, work)
