"""Histories of Git in the real service: its lineage answers are those of Git."""

from __future__ import annotations

import random
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from tests.acceptance.lineage import lineage_of
from tests.answers import get, nodes, pages
from tests.conftest import Service
from tests.events import append_minimal, new_event, post

ROOT = Path(__file__).resolve().parents[2]
EXTRACT = ROOT / "tests/fixtures/git_history.txt"
STORY = ROOT / "tests/fixtures/git_history.fast-import"


def event_id(number: str) -> str:
    """The id of the event of a commit."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"git_history.txt#{number}"))


@pytest.fixture(scope="module")
def history(service: Service) -> nx.DiGraph[str]:
    """The extract of a real history, appended to the log. Edges go from child to parent; commits are numbered from 1."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    events: list[dict[str, Any]] = []
    for line in EXTRACT.read_text().splitlines()[1:]:
        number, parents, seconds = line.split()
        above = [] if parents == "-" else parents.split(",")
        graph.add_node(number)
        graph.add_edges_from((number, parent) for parent in above)
        payload = {"action": "change", "params": {"committed_at": int(seconds)}}
        events.append(new_event("proposal", payload, *map(event_id, above), id=event_id(number), scope="extract", trace_id="extract"))
    for start in range(0, len(events), 1000):
        batch = events[start : start + 1000]
        assert append_minimal(service, batch)["count"] == len(batch)
    return graph


def test_the_extract_is_of_a_real_size(history: nx.DiGraph[str]) -> None:
    assert len(history) >= 1000
    assert sum(parents > 1 for _, parents in history.out_degree()) >= 100
    assert nx.is_weakly_connected(history)
    assert nx.is_directed_acyclic_graph(history)


def test_counts_of_ancestors_and_descendants_are_what_networkx_computes(service: Service, history: nx.DiGraph[str]) -> None:
    sample = ["1", str(len(history)), *random.Random(20).sample(sorted(history), 200)]
    expected = {number: (len(nx.descendants(history, number)), len(nx.ancestors(history, number))) for number in sample}
    assert sum(ancestors > 100 and descendants > 100 for ancestors, descendants in expected.values()) > 100, "most have many of both"

    def count(number: str, direction: str) -> int:
        return lineage_of(service, event_id(number), direction, limit=0)["count"]

    assert {number: (count(number, "ancestors"), count(number, "descendants")) for number in sample} == expected


def test_the_pages_of_a_lineage_hold_every_ancestor_once_at_its_distance(service: Service, history: nx.DiGraph[str]) -> None:
    newest = str(len(history))
    listed = [(node["id"], node["depth"]) for node in nodes(service, f"/api/events/{event_id(newest)}/ancestors", limit=700)]
    distances: dict[str, int] = nx.single_source_shortest_path_length(history, newest)
    assert len(listed) == len(history) - 1
    assert dict(listed) == {event_id(number): distance for number, distance in distances.items() if number != newest}
    assert [depth for _, depth in listed] == sorted(depth for _, depth in listed)


class Git:
    """The same history as a repository, so that Git itself can be asked. Commits are known by their numbers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
        stream: list[str] = []
        for line in EXTRACT.read_text().splitlines()[1:]:
            number, parents, seconds = line.split()
            stream += ["commit refs/heads/main", f"mark :{number}", f"committer a <a@example.org> {seconds} +0000", "data 0"]
            if parents == "-":  # without this the commit before would be its parent
                stream.insert(-4, "reset refs/heads/main\n")
            else:
                stream += [f"{word} :{parent}" for word, parent in zip(("from", *["merge"] * 16), parents.split(","), strict=False)]
            stream.append("")
        command = ["git", "-C", path, "fast-import", "--quiet", f"--export-marks={path / 'marks'}"]
        subprocess.run(command, input="\n".join(stream).encode(), check=True)
        marks = [line.split() for line in (path / "marks").read_text().splitlines()]
        self.number = {sha: mark[1:] for mark, sha in marks}
        self.sha = {number: sha for sha, number in self.number.items()}

    def __call__(self, *words: str) -> set[str]:
        """Run git with these arguments; the numbers of the commits that it lists."""
        done = subprocess.run(["git", "-C", self.path, *words], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr  # 1: no merge base
        return {self.number[sha] for sha in done.stdout.split()}


def test_lineage_answers_are_those_of_git(service: Service, history: nx.DiGraph[str], tmp_path: Path) -> None:
    git = Git(tmp_path / "extract.git")
    rng = random.Random(22)
    numbers = {event_id(number): number for number in history}
    everything = sorted(history, key=int)

    def ask(path: str, **query: str) -> set[str]:
        answered = pages(service, f"/api/{path}", limit=1000, **query)
        found = {numbers[node["id"]] for page in answered for node in page["nodes"]}
        assert answered[-1]["count"] == len(found)
        return found

    for number in rng.sample(everything, 20):
        sha, event = git.sha[number], event_id(number)
        assert ask(f"events/{event}/ancestors") == git("rev-list", sha) - {number}
        assert ask(f"events/{event}/descendants") == git("rev-list", "--all", "--ancestry-path", f"^{sha}")
        assert ask(f"events/{event}/roots") == git("rev-list", "--max-parents=0", sha)
    between = several = 0
    for _ in range(60):
        one, other = rng.sample(everything if rng.random() < 0.5 else everything[(start := rng.randrange(1900)) : start + 60], 2)
        bases = git("merge-base", "--all", git.sha[one], git.sha[other])
        assert ask("common-causes", ids=f"{event_id(one)},{event_id(other)}") == bases
        several += len(bases) > 1
        cause, effect = sorted((one, other), key=int)
        path = git("rev-list", "--ancestry-path", f"^{git.sha[cause]}", git.sha[effect])
        assert ask("paths", **{"from": event_id(cause), "to": event_id(effect)}) == (path | {cause} if path else set())
        between += len(path) > 2
    for _ in range(15):
        three = rng.sample(everything[-400:], 3)
        bases = git("merge-base", "--all", "--octopus", *[git.sha[one] for one in three])
        assert ask("common-causes", ids=",".join(map(event_id, three))) == bases
    assert between > 20, "many of the pairs have events between them"


def example(service: Service, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run examples/git_history.py."""
    command = [sys.executable, ROOT / "examples/git_history.py", *arguments, "--url", service.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("git") / "little-story"
    subprocess.run(["git", "init", "--quiet", "--object-format=sha1", path], check=True)
    subprocess.run(["git", "-C", path, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["git", "-C", path, "fast-import", "--quiet", "--done"], input=STORY.read_bytes(), check=True)
    return path


def stored_events(service: Service) -> list[dict[str, Any]]:
    return get(service, "events/trace/little-story")


def test_a_clone_imported_in_two_runs_is_stored_once_and_agrees_with_git(service: Service, repository: Path) -> None:
    first = example(service, repository, "--limit", "5")
    assert first.returncode == 0, first.stderr
    assert sum(event["type"] == "proposal" for event in stored_events(service)) == 5

    done = example(service, repository, "--check", "50")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 13 commits agree with Git" in done.stdout
    events = stored_events(service)
    types = [event["type"] for event in events]
    assert {kind: types.count(kind) for kind in ("proposal", "reward", "penalty")} == {"proposal": 13, "reward": 2, "penalty": 2}

    again = example(service, repository)
    assert again.returncode == 0, again.stderr
    assert "all there before: nothing added" in again.stdout
    assert stored_events(service) == events

    # 0.3 from the commit, 0.05 * 1.2 from its tag, 0.1 taken by its revert; decay takes less than 5 % in the first minute
    strength = get(service, "signals/src.app/change")["strength"]
    assert 0.26 * 0.95 < strength < 0.26 + 1e-9

    # the check compares exactly: one more descendant of a commit makes it fail
    post(service, "proposal", None, next(event for event in events if not event["parent_ids"]))
    wrong = example(service, repository, "--check", "50")
    assert wrong.returncode == 1
    assert "1 of 13 commits differ from Git" in wrong.stdout


def test_a_url_where_no_service_answers_is_an_error_at_once(repository: Path, service: Service) -> None:
    command = [sys.executable, ROOT / "examples/git_history.py", repository, "--url", "http://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "no service answers at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
