"""`semp query`: runs a read query of `cypher/` by name."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from cyclopts import Parameter

from semp.cli.logs import configure_logging
from semp.cli.terminal import json_line, say, write
from semp.domain.errors import SempError
from semp.settings import DatabaseSettings


def query(
    name: str, /, *, database: DatabaseSettings | None = None, param: Annotated[list[str] | None, Parameter(negative="")] = None
) -> None:
    """Run a read query of cypher/ by name and print its rows as NDJSON.

    Args:
        name: Name of a file under cypher/ without its suffix, such as count_ancestors.
        param: A parameter as key=value; may be repeated. The value is read as JSON if it is JSON, else as text.
    """
    from semp.main import database as connect
    from semp.storage.neo4j.embedded import StepReporter

    configure_logging("warning")
    parameters = dict(_parameter(given) for given in param or [])

    async def run() -> tuple[list[dict[str, Any]], dict[str, int]]:
        with StepReporter() as reporter:
            async with connect(database or DatabaseSettings(), reporter.report) as store:
                return await store.query(name, parameters)

    rows, span = asyncio.run(run())
    for row in rows:
        write(json_line(row) + "\n")
    if not rows:
        say("no rows")
    if span.get("after"):
        say(f"this is about positions {span['after'] + 1} to {span['until']}; for earlier ones add --param until={span['after']}")


def _parameter(given: str) -> tuple[str, Any]:
    key, equals, value = given.partition("=")
    if not equals:
        raise SempError(f"--param {given}: expected key=value")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
