"""Lineage compared with PostgreSQL on the same machine: a table of events, a table of parents with indexes on both columns, and a
recursive query with UNION. This needs the server programs of PostgreSQL (Debian package `postgresql`); without them a message is printed
and nothing is measured.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.histories import EventBody, chain, history, layers
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import Seconds, in_turn, milliseconds, ratio

SETTINGS = {"listen_addresses": "", "shared_buffers": "512MB", "work_mem": "64MB", "random_page_cost": "1.1", "jit": "off"}
"""Changes to the defaults: all data fits in memory, as in the page cache of Neo4j; JIT compilation is off, because it costs these queries
more than it saves."""

TABLES = """
DROP TABLE IF EXISTS event, parent, parent_position;
CREATE TABLE event (id uuid PRIMARY KEY, position bigint UNIQUE, type text, scope text, trace_id text, agent_id text, payload jsonb);
CREATE TABLE parent (child uuid, parent uuid, PRIMARY KEY (child, parent));
CREATE TABLE parent_position (child bigint, parent bigint, PRIMARY KEY (child, parent));
\\copy event FROM '{folder}/event'
\\copy parent FROM '{folder}/parent'
\\copy parent_position FROM '{folder}/parent_position'
CREATE INDEX ON parent (parent, child);
CREATE INDEX ON parent_position (parent, child);
VACUUM ANALYZE;
"""
ANCESTORS = """
WITH RECURSIVE up (id) AS (
  SELECT parent FROM parent WHERE child = '{id}' UNION SELECT parent.parent FROM up JOIN parent ON parent.child = up.id
) SELECT count(*) FROM up;
"""
DESCENDANTS = """
WITH RECURSIVE down (id) AS (
  SELECT child FROM parent WHERE parent = '{id}' UNION SELECT parent.child FROM down JOIN parent ON parent.parent = down.id
) SELECT count(*) FROM down;
"""
BY_POSITION = """
WITH RECURSIVE up (position) AS (
  SELECT parent FROM parent_position WHERE child = (SELECT position FROM event WHERE id = '{id}')
  UNION SELECT link.parent FROM up JOIN parent_position link ON link.child = up.position
) SELECT count(*) FROM up;
"""
FIRST_PAGE = """
WITH RECURSIVE up (id, depth) AS (
  SELECT parent, 1 FROM parent WHERE child = '{id}'
  UNION SELECT parent.parent, depth + 1 FROM up JOIN parent ON parent.child = up.id WHERE depth < {depth}
), nearest AS (SELECT id, min(depth) AS depth FROM up GROUP BY id)
SELECT event.id, depth, position, type, scope, trace_id, agent_id
FROM nearest JOIN event USING (id) ORDER BY depth, position DESC LIMIT 100;
"""


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, else the newest version where Debian installs it; None if there is none."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((path for path in folders if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


@contextmanager
def server(binaries: Path) -> Generator[Path]:
    """Start a server on a private socket; yields the folder of the socket. Root starts it as another user, since it refuses root."""
    account = None if os.getuid() else next(user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody"))
    with tempfile.TemporaryDirectory(prefix="pg-") as home:
        if account is not None:
            os.chown(home, account.pw_uid, account.pw_gid)
        user, group = (None, None) if account is None else (account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), "-D", f"{home}/data", *arguments]
            subprocess.run(
                command,
                check=True,
                stdout=subprocess.DEVNULL,
                user=user,
                group=group,
                extra_groups=None if account is None else [],
                cwd=home,
            )

        run("initdb", "-A", "trust", "-U", "semp", "-E", "UTF8", "--no-locale")
        options = " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": home}.items())
        run("pg_ctl", "-w", "-l", f"{home}/log", "-o", options, "start")
        try:
            yield Path(home)
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")


class Psql:
    """A psql session that stays open, so that no figure includes the start of a process. The round trip of a query adds about 0.1 ms."""

    END = "\\echo :end"

    def __init__(self, socket: Path) -> None:
        command = ["psql", "-h", str(socket), "-U", "semp", "-d", "postgres", "-XqAt", "-v", "ON_ERROR_STOP=1"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("SET client_min_messages TO warning;")

    def ask(self, query: str) -> list[str]:
        """Run a query; its rows as text, with columns separated by `|`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{query}\n{self.END}\n")
        self.process.stdin.flush()
        lines: list[str] = []
        while (line := self.process.stdout.readline()) != ":end\n":
            assert line, "psql ended"
            lines.append(line.rstrip("\n"))
        return lines

    def close(self) -> None:
        self.process.communicate()


def load(psql: Psql, events: list[EventBody]) -> None:
    """Load the same events into new tables and update their statistics."""
    numbers = {event["id"]: number for number, event in enumerate(events, 1)}
    links = [(event["id"], parent) for event in events for parent in event["parent_ids"]]
    fields = ("type", "scope", "trace_id", "agent_id")
    tables = {
        "event": [
            (event["id"], numbers[event["id"]], *(event[name] for name in fields), msgspec.json.encode(event["payload"]).decode())
            for event in events
        ],
        "parent": links,
        "parent_position": [(numbers[child], numbers[parent]) for child, parent in links],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in tables.items():
            Path(folder, name).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
        psql.ask(TABLES.format(folder=folder))


def against_postgres(report: Report, size: int = 50_000, rounds: int = 11) -> None:
    """Count all ancestors of the newest event: in a busy history and, to be fair, in a deep and in a wide graph. Also other questions."""
    binaries = programs()
    if binaries is None or shutil.which("psql") is None:
        print("  no PostgreSQL (initdb, pg_ctl, psql): the comparison with it is not measured", flush=True)
        return
    shapes = ((f"history of {size:,}", history, 16), (f"chain of {size:,}", chain, 100), (f"{size:,} in layers of 1,000", layers, 16))
    with server(binaries) as socket, running("neo4j") as port, asking(port) as rest:
        psql = Psql(socket)
        version = psql.ask("SHOW server_version;")[0].partition(" ")[0]
        print(f"  PostgreSQL {version}", flush=True)
        try:
            for where, make, depth in shapes:
                events = make(size)
                rest.store(events)
                load(psql, events)
                compare(report, rest, psql, where, (events[0]["id"], events[-1]["id"]), depth, rounds)
        finally:
            psql.close()


def compare(report: Report, rest: Rest, psql: Psql, where: str, ends: tuple[str, str], depth: int, rounds: int) -> None:
    """Measure both sides in turn, and report how many times faster the service is.

    Args:
        where: describes the log, for the report.
        ends: ids of the oldest and the newest event.
        depth: hops within which PostgreSQL searches the first page.
    """
    oldest, newest = ends

    def count(way: str, event_id: str) -> int:
        return rest.get(f"/api/events/{event_id}/{way}", limit=0)["count"]

    def counted(query: str, event_id: str) -> int:
        return int(psql.ask(query.format(id=event_id))[0])

    def add(what: str, times: Seconds, other: str, bar: str, note: str = "") -> None:
        detail = f"{milliseconds(times, 'rest')} through REST, PostgreSQL {milliseconds(times, other)}{note}"
        report.add(f"{what}, {where}: times faster than PostgreSQL", 1 / ratio(times, "rest", other), bar, detail)

    total = count("ancestors", newest)
    assert total == counted(ANCESTORS, newest) == counted(BY_POSITION, newest)
    sides = {
        "rest": lambda: count("ancestors", newest),
        "uuid": lambda: counted(ANCESTORS, newest),
        "bigint": lambda: counted(BY_POSITION, newest),
    }
    times = in_turn(sides, rounds)
    add(f"{total:,} ancestors counted", times, "uuid", "at least 5")
    add(f"{total:,} ancestors counted, its parents by number instead of id", times, "bigint", "-")

    total = count("descendants", oldest)
    assert total == counted(DESCENDANTS, oldest)
    times = in_turn({"rest": lambda: count("descendants", oldest), "uuid": lambda: counted(DESCENDANTS, oldest)}, rounds)
    add(f"{total:,} descendants counted", times, "uuid", "-")

    def page(count: int) -> list[str]:
        return [node["id"] for node in rest.get(f"/api/events/{newest}/ancestors", limit=100, count=count)["nodes"]]

    def paged() -> list[str]:
        return [row.partition("|")[0] for row in psql.ask(FIRST_PAGE.format(id=newest, depth=depth))]

    assert page(0) == page(1) == paged()
    times = in_turn({"rest": lambda: page(1), "both": lambda: (paged(), counted(ANCESTORS, newest))}, rounds)
    add("first 100 ancestors and how many there are", times, "both", "-")
    times = in_turn({"rest": lambda: page(0), "page": paged}, rounds)
    add("first 100 ancestors alone", times, "page", "-", f", which is told to look {depth} hops far")
