"""`semp serve`: runs the service."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

from semp import __version__
from semp.cli.logs import configure_logging
from semp.cli.terminal import say
from semp.settings import Settings


def serve(*, settings: Settings | None = None) -> None:
    """Run the service, by default with an embedded Neo4j. Ctrl-C stops both."""
    from semp.main import serve as run
    from semp.storage.neo4j.embedded import StepReporter

    chosen = settings or Settings()
    configure_logging(chosen.log_level)
    with StepReporter() as reporter, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run(chosen, reporter.report, lambda url: _announce(chosen, url)))
    say("stopped")
    if any(thread.name.startswith("fetch-") for thread in threading.enumerate()):
        os._exit(130)  # a download thread is still running, and Python would wait for it; no downloaded file is in its place yet


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _announce(settings: Settings, url: str) -> None:
    data = "memory only; it is lost at exit" if settings.memory else settings.neo4j or str(settings.data.resolve())
    event = '{"type":"proposal","scope":"ui.login","trace_id":"first","agent_id":"me","payload":{"action":"improve_ux"}}'
    print(
        f"\nSEL/SEMP {__version__} is ready\n"
        f"  listening  {url}  (API pages at {url}/schema)\n"
        f"  data       {data}\n"
        f"  try        curl -s {url}/api/events -H 'content-type: application/json' -d '{event}'\n",
        flush=True,
    )
