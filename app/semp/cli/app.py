"""The `semp` command: its subcommands, and how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

import msgspec
from cyclopts import App

from semp import __version__
from semp.cli.explain import explain
from semp.cli.export_log import export
from semp.cli.import_log import import_
from semp.cli.mcp_server import mcp
from semp.cli.query import query
from semp.cli.serve import serve
from semp.cli.signals import signals
from semp.cli.status import status
from semp.cli.tail import tail
from semp.cli.terminal import err, say
from semp.cli.trace import trace
from semp.cli.verify import verify
from semp.domain.errors import SempError

FAILED = 1
INTERRUPTED = 130
HELP = """\
SEL/SEMP: agents leave typed events in a shared environment. Events raise and lower signals, which decay with time. \
Each event names the events that caused it.

Exit codes: 0 for success; 1 for a failure, with one line on standard error that says why; 2 for a wrong option;
130 when Ctrl-C stopped the command before it was done.
"""

app = App(name="semp", help=HELP, version=__version__)
for command in (serve, status, tail, signals, explain, trace, export, query, verify, mcp):
    app.command(command)
app.command(import_, name="import")


def main() -> None:
    """Entry point. Every expected error becomes one line on standard error and exit code 1."""
    from semp.storage.neo4j.embedded import EmbeddedNeo4jError

    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # the stream is None, or does not support it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app()
    except SempError as error:
        _fail(str(error))
    except msgspec.MsgspecError as error:
        _fail(f"the service's answer has an unexpected format; is it another version? {error}")
    except EmbeddedNeo4jError as error:
        _fail(str(error), lines=True)
    except BrokenPipeError:  # the reader of the output has closed the pipe
        _drop_output()
        raise SystemExit(FAILED) from None
    except OSError as error:
        _drop_output()
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        if err.is_terminal:
            err.print()
        raise SystemExit(INTERRUPTED) from None


def _fail(message: str, *, lines: bool = False) -> NoReturn:
    say(f"semp: {message}", style="red", lines=lines)
    raise SystemExit(FAILED) from None


def _drop_output() -> None:
    """Redirect standard output to the null device, so that Python does not fail again when it flushes the output at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
