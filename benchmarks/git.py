"""Lineage on the history of a Git repository, compared with Git itself.

SEMP_BENCH_REPO is the path of a local clone, preferably with 50,000 commits or more. Without it a history like that of Git's own
repository is generated: 82,000 commits, of which about 21,000 are merges. Only commits reachable from HEAD are imported, and the clone
is not changed.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import bare
from benchmarks.histories import Branches, graph_of
from benchmarks.lineage import compare_counts, compare_first_page
from benchmarks.report import Report, median
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import Seconds, in_turn
from examples.git_history import Mapping, Repository, event_id

COMMITS, MERGES = 82_000, 0.26
PAIRS = 25


def fast_import(commits: int = COMMITS, merges: float = MERGES, seed: int = 21) -> bytes:
    """A generated history as input for `git fast-import`: branches as in a busy repository, merged at the end; 20 folders, 30 authors."""
    branches = Branches(random.Random(seed), merges)
    parts: list[str] = []
    for number in range(1, commits + 1):
        parents = branches.add(f":{number}") if number < commits else branches.tips
        lines = ["from ", *["merge "] * (len(parents) - 1)]
        causes = "".join(f"{line}{parent}\n" for line, parent in zip(lines, parents, strict=False))
        who = f"author-{number % 30} <a{number % 30}@example.org> {1_600_000_000 + 600 * number} +0000"
        text = f"change {number}"
        file = f"M 100644 inline part{number % 20}/file\ndata {len(str(number))}\n{number}\n"
        parts.append(f"commit refs/heads/main\nmark :{number}\ncommitter {who}\ndata {len(text)}\n{text}\n{causes}{file}\n")
    return "".join(parts).encode()


def prepared(into: Path) -> tuple[Path, str]:
    """A bare repository and the name of its project. Its commit graph is written, so that Git is as fast as it can be."""
    named = os.environ.get("SEMP_BENCH_REPO")
    if named:
        name = Repository(Path(named), []).name()
        command = ["git", "clone", "--quiet", "--bare", "--shared", "--single-branch", "--no-tags", str(Path(named).resolve()), str(into)]
        subprocess.run(command, check=True)
    else:
        name = "a generated repository"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(into)], check=True)
        subprocess.run(["git", "-C", str(into), "fast-import", "--quiet"], input=fast_import(), check=True)
    subprocess.run(["git", "-C", str(into), "commit-graph", "write", "--reachable", "--no-progress"], check=True)
    return into, name


def history(report: Report) -> None:
    """Compare counts and first pages with the bare query, counts with networkx, and common causes and paths with Git."""
    with (
        tempfile.TemporaryDirectory() as home,
        running("neo4j") as port,
        asking(port) as rest,
        bare.connect() as driver,
        driver.session() as session,
    ):
        path, name = prepared(Path(home) / "repository")
        repository = Repository(path, ["HEAD"])
        events = list(Mapping(name, {}).events(repository.commits()))
        commits = [event["payload"]["params"]["commit"] for event in events if event["type"] == "proposal"]
        merges = sum(len(event["parent_ids"]) > 1 for event in events)
        where = f"{len(commits):,} commits ({merges:,} merges) of {name}"
        print(f"  {where}", flush=True)
        rest.store(events)
        graph = graph_of(events)
        newest, oldest = (event_id("commit", commit) for commit in (repository.head, commits[0]))
        compare_counts(report, rest, session, where, newest, "ancestors", graph)
        compare_counts(report, rest, session, where, oldest, "descendants", graph)
        for depth in (10, 1_000, None):
            compare_first_page(report, rest, session, where, newest, depth)
        choose = random.Random(5)
        each = [common_causes(rest, repository, *choose.sample(commits, 2)) for _ in range(PAIRS)]
        against_git(report, f"common causes of two commits, {where} / git merge-base --all", each)
        each = [paths(rest, repository, commit, repository.head) for commit in choose.sample(commits, PAIRS)]
        against_git(report, f"paths between two commits, {where} / git rev-list --ancestry-path", each)


def common_causes(rest: Rest, repository: Repository, first: str, second: str) -> Seconds:
    """Time REST and Git on the merge bases of two commits; their answers must be equal."""
    asked = f"{event_id('commit', first)},{event_id('commit', second)}"

    def through_rest() -> set[str]:
        return {node["id"] for node in rest.get("/api/common-causes", ids=asked, limit=1_000)["nodes"]}

    def with_git() -> set[str]:
        return {event_id("commit", commit) for commit in repository.git("merge-base", "--all", first, second, check=False).split()}

    assert through_rest() == with_git(), f"common causes of {first} and {second}"
    return in_turn({"rest": through_rest, "git": with_git}, rounds=3, warm=0)


def paths(rest: Rest, repository: Repository, cause: str, effect: str) -> Seconds:
    """Time REST and Git on the number of commits on all paths between two commits. Git does not count the first commit."""
    ids: dict[str, Any] = {"from": event_id("commit", cause), "to": event_id("commit", effect), "limit": 0}

    def through_rest() -> int:
        return max(1, rest.get("/api/paths", **ids)["count"]) - 1

    def with_git() -> int:
        return int(repository.git("rev-list", "--ancestry-path", "--count", f"{cause}..{effect}"))

    assert through_rest() == with_git(), f"paths from {cause} to {effect}"
    return in_turn({"rest": through_rest, "git": with_git}, rounds=3, warm=0)


def against_git(report: Report, name: str, each: list[Seconds]) -> None:
    """Report one row over all pairs. Git's time includes starting its process, as for any caller."""
    by_rest, by_git = ([1000 * median(times[side]) for times in each] for side in ("rest", "git"))
    detail = f"{median(by_rest):.1f} ms (slowest {max(by_rest):.0f}) through REST, Git {median(by_git):.1f} ms (slowest {max(by_git):.0f})"
    report.add(name, median([a / b for a, b in zip(by_rest, by_git, strict=True)]), "-", f"{len(each)} pairs: {detail}")
