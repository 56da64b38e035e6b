"""The loader of `cypher/`: one query per file, with a header that is checked against its text."""

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
_HEADER = re.compile(r"^// (mode|param|bound|returns)\b:? ?(.*)$")
_DEFAULT = re.compile(r"^\S+ = (\S+)")
_RETURNED = re.compile(r"(\w+): ([A-Z]+[A-Z<>]*)")


class QueryFileError(Exception):
    """A file under `cypher/` is missing, unused, or does not fit its own header. Raised at start."""


@dataclass(frozen=True)
class Query:
    """One file of `cypher/`."""

    name: str
    text: str
    mode: Mode
    purpose: str
    params: dict[str, str] = field(default_factory=dict[str, str])
    """Name to declared type and meaning."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """Values, declared as `TYPE = value`, for whoever runs the query by hand and leaves the parameter out."""
    columns: dict[str, str] = field(default_factory=dict[str, str])
    """Name to declared type, in the order of the columns."""
    bound: int | None = None
    """The number that bounds a variable-length pattern, where the header declares one: Cypher takes no parameter there."""

    @property
    def returns(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(self.columns)

    @property
    def offered(self) -> bool:
        """Whether it is for whoever asks the service, and not one of the service's own: those are in folders of their own."""
        return "/" in self.name and self.mode == "read"

    def bounded(self, depth: int | None) -> str:
        """The text with another bound, a whole number of at least 1; None for no bound."""
        if self.bound is None:
            raise ValueError(f"{self.name} declares no bound")
        if depth is not None and depth < 1:
            raise ValueError("a bound is at least 1")
        return self.text.replace(f"..{self.bound}]", f"..{'' if depth is None else int(depth)}]")


def packed(query: Query, text: str) -> str:
    """The query's text, perhaps with another bound, as one that answers a single record: a list of its rows.

    The driver reads each record of an answer on its own, with two turns of the event loop; what a record holds it unpacks at once. A
    thousand rows take a third of the time this way.
    """
    return f"CALL () {{\n{text}\n}}\nRETURN collect([{', '.join(query.returns)}]) AS rows"


def directory() -> Path:
    """Where the queries are: inside the package in an installed wheel, at the top of a checkout otherwise."""
    package = Path(__file__).resolve().parent.parent
    return package / "cypher" if (package / "cypher").is_dir() else package.parent.parent / "cypher"


@cache
def load() -> dict[str, Query]:
    """Every query by its path below `cypher/` without the suffix.

    Raises:
        QueryFileError: a header is missing, or names other parameters than the text uses.
    """
    root = directory()
    return {
        (name := path.relative_to(root).with_suffix("").as_posix()): parse(name, path.read_text("utf-8"))
        for path in sorted(root.rglob("*.cypher"))
    }


def parse(name: str, source: str) -> Query:
    """Read one file.

    Raises:
        QueryFileError: the header is incomplete or does not match the text.
    """
    lines = source.splitlines()
    header = [line for line in lines if line.startswith("//")]
    text = "\n".join(lines[len(header) :]).strip()
    purpose: list[str] = []
    found: dict[str, list[str]] = {"mode": [], "param": [], "bound": [], "returns": []}
    for line in header:
        match = _HEADER.match(line)
        if match:
            found[match[1]].append(match[2])
        else:
            purpose.append(line.removeprefix("//").strip())
    if not purpose or len(found["mode"]) != 1 or found["mode"][0] not in ("read", "write", "schema"):
        raise QueryFileError(f"cypher/{name}: the header needs a purpose and one line 'mode: read', 'write' or 'schema'")
    params = {declared.split(":")[0].strip(): declared.partition(":")[2].strip() for declared in found["param"]}
    try:
        defaults = {param: json.loads(match[1]) for param, declared in params.items() if (match := _DEFAULT.match(declared))}
    except ValueError as error:
        raise QueryFileError(f"cypher/{name}: a default value is JSON without spaces") from error
    used = set(_PARAM.findall(text))
    if used != params.keys():
        raise QueryFileError(f"cypher/{name}: parameters in header and text differ: {', '.join(sorted(used ^ params.keys()))}")
    columns = dict(_RETURNED.findall(" ".join(found["returns"])))
    bound = int(found["bound"][0].split(":")[1].split()[0]) if found["bound"] else None
    if bound is not None and f"..{bound}]" not in text:
        raise QueryFileError(f"cypher/{name}: the declared bound {bound} is not in the text")
    query = Query(name, text, found["mode"][0], " ".join(purpose), params, defaults, columns, bound)  # type: ignore[arg-type]
    if query.offered and not query.returns:
        raise QueryFileError(f"cypher/{name}: a query that is offered to everybody names the columns it returns")
    return query


def check(queries: Iterable[str], used: Iterable[str]) -> None:
    """That every query the service uses has a file, and every file a use.

    Raises:
        QueryFileError: names what is missing or unused.
    """
    there, named = set(queries), set(used)
    if missing := named - there:
        raise QueryFileError(f"missing under cypher/: {', '.join(sorted(missing))}")
    if unused := {name for name in there - named if "/" not in name}:
        raise QueryFileError(f"used by nothing under cypher/: {', '.join(sorted(unused))}")
