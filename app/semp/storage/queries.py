"""Loads the queries under `cypher/`: one query per file, whose header is checked against its text. CONTRIBUTING.md describes the header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

Mode = Literal["read", "write", "schema"]

_PARAM = re.compile(r"\$(\w+)")
_HEADER = re.compile(r"^// (mode|param|bound|span|returns)\b:? ?(.*)$")
_SPAN = re.compile(r"(\d+) (?:events|of type (\w+)|of trace \$(\w+)|of signal \$(\w+))")
_DEFAULT = re.compile(r"^\S+ = (\S+)")
_RETURNED = re.compile(r"(\w+): ([A-Z]+[A-Z<>]*)")


class QueryFileError(Exception):
    """A query is missing under `cypher/`, a file there is unused, or its header and text do not match. Raised when the service starts."""


@dataclass(frozen=True)
class Span:
    """Which part of the log a query looks at: the newest events at positions above its parameter `after`, up to its parameter `until`."""

    events: int
    """How many are looked at if `after` is not given."""
    type: str | None = None
    """Only events of this type count."""
    trace: str | None = None
    """Only events of a trace count: the name of the parameter that names it."""
    signal: str | None = None
    """Only events that moved a signal count: the name of the parameter that names it."""

    def look(self, after: int | None) -> int:
        """How many events are looked at, at most: ten times as many if `after` is given."""
        return self.events if after is None else 10 * self.events


@dataclass(frozen=True)
class Query:
    """One file of `cypher/`."""

    name: str
    """Path of the file below `cypher/`, without the suffix: `append`, `cookbook/rework_scopes`."""
    text: str
    """The query without its header."""
    mode: Mode
    purpose: str
    """What the query is for: the free text of the header, as one line."""
    params: dict[str, str] = field(default_factory=dict[str, str])
    """For each parameter by name: the declared type, default and meaning, as one text."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """The default values by parameter, declared as `TYPE = value`. For queries run by name: `semp query`, `/api/queries`."""
    columns: dict[str, str] = field(default_factory=dict[str, str])
    """The declared type of each column by name, in the order of the columns."""
    bound: int | None = None
    """The upper bound of a variable-length pattern in the text, if the header declares one. Cypher takes no parameter there."""
    span: Span | None = None
    """The part of the log that the query looks at, if the header declares one."""

    @property
    def returns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.columns)

    @property
    def offered(self) -> bool:
        """Whether clients of the service may run it: a read query in a subfolder of `cypher/`."""
        return "/" in self.name and self.mode == "read"

    def bounded(self, depth: int | None) -> str:
        """The text with another bound.

        Args:
            depth: the new bound, at least 1; None for no bound.

        Raises:
            ValueError: the query declares no bound, or `depth` is below 1.
        """
        if self.bound is None:
            raise ValueError(f"{self.name} declares no bound")
        if depth is not None and depth < 1:
            raise ValueError("a bound is at least 1")
        return self.text.replace(f"..{self.bound}]", f"..{'' if depth is None else int(depth)}]")


def packed(query: Query, text: str) -> str:
    """A query that returns the rows of `text` as one record with one column: the list of all rows. See docs/decisions/0014.

    The driver reads each record of a result separately, with two turns of the event loop, but unpacks the content of a record at once.
    With this, a thousand rows take a third of the time.

    Args:
        query: names the columns.
        text: the text of `query`, or that of `query.bounded`.
    """
    return f"CALL () {{\n{text}\n}}\nRETURN collect([{', '.join(query.returns)}]) AS rows"


def directory() -> Path:
    """The folder `cypher`: inside the package if it was installed from a wheel, else at the top of the checkout."""
    package = Path(__file__).resolve().parent.parent
    return package / "cypher" if (package / "cypher").is_dir() else package.parent.parent / "cypher"


@cache
def load() -> dict[str, Query]:
    """All queries by name. The files are read once for each process.

    Raises:
        QueryFileError: the header of a file is incomplete or does not match its text.
    """
    root = directory()
    return {
        (name := path.relative_to(root).with_suffix("").as_posix()): parse(name, path.read_text("utf-8"))
        for path in sorted(root.rglob("*.cypher"))
    }


def parse(name: str, source: str) -> Query:
    """The query in one file.

    Args:
        name: of the query.
        source: content of the file.

    Raises:
        QueryFileError: the header is incomplete, or its parameters, its bound or its span do not match the text.
    """
    lines = source.splitlines()
    header = [line for line in lines if line.startswith("//")]
    text = "\n".join(lines[len(header) :]).strip()
    purpose: list[str] = []
    declarations: dict[str, list[str]] = {"mode": [], "param": [], "bound": [], "span": [], "returns": []}
    for line in header:
        match = _HEADER.match(line)
        if match:
            declarations[match[1]].append(match[2])
        else:
            purpose.append(line.removeprefix("//").strip())
    if not purpose or len(declarations["mode"]) != 1 or declarations["mode"][0] not in ("read", "write", "schema"):
        raise QueryFileError(
            f"cypher/{name}: the header needs a purpose and exactly one line 'mode: read', 'mode: write' or 'mode: schema'"
        )
    params = {declared.split(":")[0].strip(): declared.partition(":")[2].strip() for declared in declarations["param"]}
    try:
        defaults = {param: json.loads(match[1]) for param, declared in params.items() if (match := _DEFAULT.match(declared))}
    except ValueError as error:
        raise QueryFileError(f"cypher/{name}: a default value must be JSON without spaces") from error
    used = set(_PARAM.findall(text))
    if used != params.keys():
        raise QueryFileError(f"cypher/{name}: parameters in header and text differ: {', '.join(sorted(used ^ params.keys()))}")
    columns = dict(_RETURNED.findall(" ".join(declarations["returns"])))
    bound = int(declarations["bound"][0].split(":")[1].split()[0]) if declarations["bound"] else None
    if bound is not None and f"..{bound}]" not in text:
        raise QueryFileError(f"cypher/{name}: the declared bound {bound} is not in the text")
    span = _span(name, declarations["span"], params) if declarations["span"] else None
    query = Query(name, text, declarations["mode"][0], " ".join(purpose), params, defaults, columns, bound, span)  # type: ignore[arg-type]
    if query.offered and not query.returns:
        raise QueryFileError(f"cypher/{name}: a query that is offered to clients must name the columns it returns")
    return query


def _span(name: str, declared: list[str], params: dict[str, str]) -> Span:
    match = _SPAN.fullmatch(declared[0])
    if match is None or len(declared) > 1:
        raise QueryFileError(f"cypher/{name}: a span is '10000 events', '10000 of type reward', '... of trace $id' or '... of signal $key'")
    span = Span(int(match[1]), *match.groups()[1:])
    if missing := {"after", "until", span.trace or "after", span.signal or "after"} - params.keys():
        raise QueryFileError(f"cypher/{name}: a query with a span needs the parameters {', '.join(sorted(missing))}")
    return span


def check(queries: Iterable[str], used: Iterable[str]) -> None:
    """Check that every query that the service runs has a file, and that no file is unused. Files in subfolders count as used.

    Args:
        queries: names of the files.
        used: names of the queries that the service runs.

    Raises:
        QueryFileError: names the queries that are missing or unused.
    """
    existing, named = set(queries), set(used)
    if missing := named - existing:
        raise QueryFileError(f"missing under cypher/: {', '.join(sorted(missing))}")
    if unused := {name for name in existing - named if "/" not in name}:
        raise QueryFileError(f"unused under cypher/: {', '.join(sorted(unused))}")
