"""The `semp` command."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import msgspec
from cyclopts import App, Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from semp import __version__
from semp.domain.errors import SempError
from semp.engine.replay import Difference
from semp.settings import DatabaseSettings, Settings

app = App(
    name="semp",
    help="SEL/SEMP: agents leave typed events in a shared environment; signals rise and decay; every cause is an edge.",
    version=__version__,
)
out = Console()
err = Console(stderr=True)

Url = Annotated[str, Parameter(env_var="SEMP_URL")]


@app.command
def serve(*, settings: Settings | None = None) -> None:
    """Run the service, on an embedded Neo4j unless told otherwise. Ctrl-C stops both."""
    from semp.main import serve as run
    from semp.storage.neo4j.embedded import StepReporter

    chosen = settings or Settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for noisy in ("neo4j", "httpx", "uvicorn", "urllib3", "jgo", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with StepReporter() as reporter, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run(chosen, reporter.report, lambda url: _announce(chosen, url)))
    err.print("stopped")


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _announce(settings: Settings, url: str) -> None:
    where = "memory only; it is forgotten at exit" if settings.memory else settings.neo4j or str(settings.data.resolve())
    event = '{"type":"proposal","scope":"ui.login","trace_id":"first","agent_id":"me","payload":{"action":"improve_ux"}}'
    print(
        f"\nSEL/SEMP {__version__} is ready\n"
        f"  listening  {url}  (API pages at {url}/schema)\n"
        f"  data       {where}\n"
        f"  try        curl -s {url}/api/events -H 'content-type: application/json' -d '{event}'\n",
        flush=True,
    )


@app.command
def status(url: Url = "http://127.0.0.1:5000") -> None:
    """Show whether the service at URL is ready, and where its log stands."""
    with httpx.Client(base_url=url, timeout=10) as client:
        ready = client.get("/health/ready")
        if ("message" not in ready.text and "position" not in ready.text) or ready.status_code not in (200, 503):
            raise SempError(f"{url} is no SEL/SEMP service: it answered {ready.status_code}")
        found = ready.json()
        signals: list[dict[str, Any]] = client.get("/api/signals").json() if ready.is_success else []
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("service", url)
    table.add_row("status", "ready" if ready.is_success else "[red]the database is not available[/red]")
    table.add_row("epoch", found.get("epoch", "?"))
    table.add_row("events", str(found.get("position", "?")))
    if ready.is_success:
        table.add_row("signals", str(len(signals)))
        for signal in signals[:5]:
            table.add_row("", Text(f"{signal['strength']:.3f}  {signal['scope']}:{signal['pattern']}"))
    out.print(table)
    if not ready.is_success:
        raise SystemExit(1)


@app.command
def mcp(*, url: Url = "http://127.0.0.1:5000") -> None:
    """Serve the Model Context Protocol on standard input and output, for the service at URL. MCP clients start this by themselves."""
    from semp.mcp.stdio import serve as run

    asyncio.run(run(url))


@app.command(name="import")
def import_(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    url: Url = "http://127.0.0.1:5000",
    batch: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=10_000))] = 1_000,
) -> None:
    """Append the events of an NDJSON file, in order. May be stopped and repeated: nothing is doubled.

    Parameters
    ----------
    file: One event a line, as `semp export` writes them; - for standard input. A line without an id gets one made from its content.
    batch: Events a request.
    """
    from semp.transfer import import_file

    done = import_file(file, url, batch, err)
    err.print(f"{done.appended:,} events appended, {done.known:,} were there already")


@app.command
def export(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    url: Url = "http://127.0.0.1:5000",
    after: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
) -> None:
    """Write the log as NDJSON, oldest first.

    Parameters
    ----------
    output: File to write; default: standard output.
    after: Begin after this position.
    """
    from semp.transfer import export_log

    written = export_log(output, url, after, err)
    err.print(f"{written:,} events written")


@app.command
def query(name: str, /, *, database: DatabaseSettings | None = None, param: list[str] | None = None) -> None:
    """Run a read query of cypher/ by name and print its rows as NDJSON.

    Parameters
    ----------
    name: A file under cypher/ without its suffix, such as count_ancestors.
    param: key=value, once for each parameter. A value that is JSON is taken as such, anything else as text.
    """
    from semp.main import database as connect
    from semp.storage.neo4j.embedded import StepReporter

    parameters: dict[str, Any] = {}
    for given in param or []:
        key, equals, value = given.partition("=")
        if not equals:
            raise SempError(f"--param {given}: expected key=value")
        try:
            parameters[key] = json.loads(value)
        except ValueError:
            parameters[key] = value

    async def run() -> list[dict[str, Any]]:
        with StepReporter() as reporter:
            async with connect(database or DatabaseSettings(), reporter.report) as store:
                return await store.query(name, parameters)

    for row in asyncio.run(run()):
        print(msgspec.json.encode(row, enc_hook=str).decode())


@app.command
def verify(*, database: DatabaseSettings | None = None, repair: bool = False) -> None:
    """Replay the whole log and compare it with the stored signals. Exits 1 when they differ.

    Parameters
    ----------
    repair: Overwrite stored signals with the replayed ones. No service may run on this database meanwhile.
    """
    from semp.main import database as connect
    from semp.storage.neo4j.embedded import StepReporter
    from semp.transfer import verify_store

    async def run() -> list[Difference]:
        with StepReporter() as reporter:
            async with connect(database or DatabaseSettings(), reporter.report, alone=repair) as store:
                return await verify_store(store, repair, err)

    differences = asyncio.run(run())
    for difference in differences:
        out.print(f"{':'.join(difference.key)}: stored {_strength(difference.stored)}, the log says {_strength(difference.replayed)}")
    if not differences:
        err.print("the stored signals are what the log says")
    elif not repair:
        raise SystemExit(1)


def _strength(signal: Any) -> str:
    return "nothing" if signal is None else f"{signal.strength!r} at position {signal.position}"


def _fail(message: str) -> NoReturn:
    err.print(f"semp: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(1) from None


def main() -> None:
    """Entry point; every expected error is one line on standard error and exit code 1."""
    from semp.storage.neo4j.embedded import EmbeddedNeo4jError

    try:
        app()
    except (SempError, EmbeddedNeo4jError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        _fail(str(error))
    except httpx.TransportError as error:
        url = error.request.url.copy_with(raw_path=b"/")
        _fail(f"no answer from the service at {url}: {error}; is it running? Start it with `make run` or `semp serve`")
    except BrokenPipeError:  # whoever read our output has gone; nothing more can be said to them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
