"""Reads of a log of two millions of events beside the same reads of one of ten thousand, on two databases that run at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import urlencode

import msgspec
from websockets.sync.client import connect

from benchmarks.databases import embedded
from benchmarks.grown import LINKED, GrownLog
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import in_turn, milliseconds, ratio

NODE = "0192f0c1-2c3d-7a00-8000-00000000c0de"
"""Id of a node that is linked to events all over the log."""
LONG, SHORT = 2_000_000, 10_000

FIELDS: dict[str, tuple[str, ...]] = {
    "type": ("penalty", "proposal", "cancel"),
    "scope": ("rare.scope", "project.mod7", "absent", "rare.*", "project.*", "absent.**"),
    "trace_id": ("rare", "hot", "absent"),
    "agent_id": ("rare", "agent-1", "absent"),
}
"""By filter: a rare value, a frequent one, one that no event has; for scopes also a glob of each kind."""
NOT_MEASURED = {
    "/api/stream": "does not end; what it reads first is measured by `resume`",
    "/api/events/{event_id}": "in `by id`", "/api/queries": "reads no log", "/api/version": "reads no log", "/health/live": "reads no log",
    "/health/ready": "reads no log", "/metrics": "reads no log",
}  # fmt: skip
"""Paths without a row of their own, and why."""

Reads = dict[str, list[str]]
"""Requests by the name of their group."""


def filters(fields: Mapping[str, tuple[str, ...]], count: int) -> Iterator[dict[str, str]]:
    """Every combination of values of `count` fields."""
    for names in itertools.combinations(fields, count):
        for values in itertools.product(*(fields[name] for name in names)):
            yield dict(zip(names, values, strict=True))


def pages(log: GrownLog, count: int) -> Iterator[str]:
    """Pages of events with `count` filters: the first and one in the middle, in both orders."""
    places: list[dict[str, object]] = [{}, {"order": "asc"}, {"before": log.middle}, {"order": "asc", "after": log.middle}]
    for chosen in filters(FIELDS, count):
        for place in places:
            yield f"/api/events?{urlencode({**chosen, **place})}"


def reads(log: GrownLog) -> Reads:
    """The reads that are compared, by group."""
    first, half, last = log.chain[0], log.chain[len(log.chain) // 2], log.chain[-1]
    of_traces = {name: FIELDS[name] for name in ("type", "scope")}
    lineage = ("ancestors", "descendants", "lineage", "roots", "impact", "open")
    narrowed = ("", "?count=0", "?type=proposal", "?type=reward", "?scope=project.*", "?scope=absent", "?depth=3")
    signal = "/api/signals/project.mod7/do1"
    return {
        "events, no filter": list(pages(log, 0)),
        "events, one filter": list(pages(log, 1)),
        "events, two filters": list(pages(log, 2)),
        "events of a scope or a trace": [
            *(f"/api/events/scope/{scope}{more}" for scope in FIELDS["scope"][:3] for more in ("", f"?before={log.middle}")),
            *(f"/api/events/trace/{trace}?limit=100{more}" for trace in FIELDS["trace_id"] for more in ("", f"&after={log.middle}")),
        ],
        "by id": [f"/api/events/{half}", f"/api/events/{half}/nodes", f"/api/nodes/{NODE}"],
        "lineage": [
            *(f"/api/events/{half}/{way}{more}" for way in lineage for more in narrowed if way != "open" or not more),
            f"/api/paths?from={first}&to={last}",
            f"/api/common-causes?ids={half}&ids={last}",
        ],
        "lineage of a node": [f"/api/nodes/{NODE}/{way}{more}" for way in ("provenance", "descendants") for more in ("", "?edge=uses")],
        "traces": [
            f"/api/traces?{urlencode({**chosen, **place})}"
            for count in (0, 1, 2)
            for chosen in filters(of_traces, count)
            for place in ({}, {"before": log.middle})
        ],
        "one trace": ["/api/traces/rare", "/api/traces/chain", "/api/traces/rare/graph", "/api/traces/chain/graph"],
        "signals": [
            *("/api/signals", "/api/signals?limit=5", "/api/signals?scope=project.mod7", f"/api/signals?at={log.middle}"),
            *(signal, f"{signal}?at={log.middle}", f"{signal}/explain?limit=20", f"{signal}/explain?limit=20&at={log.middle}"),
        ],
    }


def queries(rest: Rest, log: GrownLog) -> list[str]:
    """Each query that is offered by name, with its required parameters."""
    event_id = log.chain[len(log.chain) // 2]
    values = {
        "id": event_id,
        "scope": "rare.*",
        "signal": "project.mod7:do1",
        "trace_id": "chain",
        "last": log.middle,
        "position": log.middle,
    }
    requests: list[str] = []
    for query in rest.get("/api/queries"):
        required = [parameter["name"] for parameter in query["parameters"] if parameter["required"]]
        requests.append(f"/api/queries/{query['name']}?{urlencode({name: values[name] for name in required})}")
    return requests


def covered(rest: Rest, measured: Reads) -> None:
    """Check that every GET path of the OpenAPI document is among the measured reads.

    Raises:
        AssertionError: one is not; the message names it.
    """
    paths = {path for path, methods in rest.get("/schema/openapi.json")["paths"].items() if "get" in methods}
    asked = [request.partition("?")[0].split("/") for request in itertools.chain(*measured.values())]

    def fits(path: str) -> bool:
        parts = path.split("/")
        return any(
            len(parts) <= len(request) and all(part == other or "{" in part for part, other in zip(parts, request, strict=False))
            for request in asked
        )

    missing = {path for path in paths if not fits(path)} - NOT_MEASURED.keys()
    assert not missing, f"not measured: {sorted(missing)}"


def stored(rest: Rest, size: int) -> GrownLog:
    """Store a log of this size, with a node that is linked to events all over it."""
    log = GrownLog(size)
    linked: list[str] = []

    def events() -> Iterator[dict[str, object]]:
        for number, event in enumerate(log):
            if number and number % 200_000 == 0:
                print(f"  {number:,} events", flush=True)
            if number % (size // LINKED) == 0:
                linked.append(event["id"])
            yield event

    rest.store(events())
    rest.post("/api/nodes", {"id": NODE, "type": "artifact"})
    for event_id in linked:
        rest.post(f"/api/nodes/{NODE}/edges", {"to": event_id, "type": "uses"})
    return log


def resume(port: int, expected: int) -> None:
    """Follow two rare scopes from the begin of the log until all their events have come."""
    place = "after=0&scope=rare.scope&scope=rare.other"
    with connect(f"ws://127.0.0.1:{port}/ws?{place}", max_size=None, compression=None) as socket:
        events = 0
        while events < expected:
            events += msgspec.json.decode(socket.recv())["type"] == "event"


def export(rest: Rest, after: int) -> None:
    """Read SHORT events after a position in the order of an export, a thousand at a time."""
    for place in range(after, after + SHORT, 1_000):
        assert len(rest.get(f"/api/events?order=asc&limit=1000&after={place}")) == 1_000


def against_a_short_log(report: Report, long: int = LONG, rounds: int = 5) -> None:
    """For each group, report the read that costs most on the long log by its time on the short one, and how many exceed the bar."""
    with embedded() as second:
        logs: dict[int, GrownLog] = {}
        for size, database in ((SHORT, second), (long, None)):
            with running("neo4j", database=database) as port, asking(port) as rest:
                logs[size] = stored(rest, size)
        with (  # services that have just started: no ring holds the end of the log
            running("neo4j") as port,
            running("neo4j", database=second) as other_port,
            asking(port) as large,
            asking(other_port) as small,
        ):
            report_reads(report, {large: logs[long], small: logs[SHORT]}, long, rounds)
            further = {
                "resume with two rare scopes": {
                    "long": partial(resume, port, logs[long].in_rare_scopes),
                    "short": partial(resume, other_port, logs[SHORT].in_rare_scopes),
                },
                f"export of {SHORT:,} events": {"long": partial(export, large, long // 2), "short": partial(export, small, 0)},
            }
            for what, sides in further.items():
                times = in_turn(sides, rounds)
                detail = f"{milliseconds(times, 'long')}, {milliseconds(times, 'short')}"
                report.add(f"{what}, log of {long:,} / of {SHORT:,}", ratio(times, "long", "short"), "at most 1.5", detail)


def report_reads(report: Report, logs: Mapping[Rest, GrownLog], long: int, rounds: int) -> None:
    """The groups of reads. `logs` has the long one first."""
    large, small = logs
    long_reads, short_reads = ({**reads(log), "queries by name": queries(rest, log)} for rest, log in logs.items())
    covered(small, short_reads)
    for group, requests in long_reads.items():
        bar = 2.0 if "two" in group else 1.5
        ratios: list[tuple[float, str, str]] = []
        refused = 0
        for request, other in zip(requests, short_reads[group], strict=True):
            sides = {"long": partial(large.get, request), "short": partial(small.get, other)}
            try:
                times = in_turn(sides, rounds)
            except AssertionError as refusal:  # the time limit of the database bounds it
                print(f"    refused: {refusal}", flush=True)
                refused += 1
                continue
            ratios.append((ratio(times, "long", "short"), request, f"{milliseconds(times, 'long')}, {milliseconds(times, 'short')}"))
        ratios.sort(reverse=True)
        over = [entry for entry in ratios if entry[0] > bar]
        worst, request, detail = ratios[0]
        name = f"{group}: worst of {len(requests)} reads, log of {long:,} / of {SHORT:,}"
        report.add(name, worst, f"at most {bar:g}", f"{detail}: {request}; {len(over)} above the bar, {refused} refused")
        for value, asked, times in over[1:]:
            print(f"    {value:8.2f}   {times}: {asked}", flush=True)
