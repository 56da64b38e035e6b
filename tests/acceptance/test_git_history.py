"""Real histories through the real service: what Git counts, the log counts."""

from __future__ import annotations

import random
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import networkx as nx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Service

ROOT = Path(__file__).resolve().parents[2]
EXTRACT = ROOT / "tests/fixtures/git_history.txt"
STORY = ROOT / "tests/fixtures/git_history.fast-import"


def event_id(number: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"git_history.txt#{number}"))


@pytest.fixture(scope="module")
def history(service: Service) -> nx.DiGraph[str]:
    """The extract of a real history, imported; edges go from child to parent."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    events: list[dict[str, Any]] = []
    for line in EXTRACT.read_text().splitlines()[1:]:
        number, parents, seconds = line.split()
        causes = [] if parents == "-" else parents.split(",")
        graph.add_node(number)
        graph.add_edges_from((number, cause) for cause in causes)
        events.append({
            "id": event_id(number), "type": "proposal", "scope": "extract", "trace_id": "extract", "agent_id": "git",
            "payload": {"action": "change", "params": {"committed_at": int(seconds)}}, "parent_ids": [event_id(cause) for cause in causes],
        })  # fmt: skip
    for start in range(0, len(events), 1000):
        batch = events[start : start + 1000]
        answer = httpx.post(f"{service.url}/api/events/batch?return=minimal", json=batch, timeout=120)
        assert answer.status_code == 201, answer.text
        assert answer.json()["count"] == len(batch)
    return graph


def test_the_extract_is_of_a_real_size(history: nx.DiGraph[str]) -> None:
    assert len(history) >= 1000
    assert sum(parents > 1 for _, parents in history.out_degree()) >= 100
    assert nx.is_weakly_connected(history)
    assert nx.is_directed_acyclic_graph(history)


def test_ancestors_and_descendants_of_a_random_sample_are_what_networkx_finds(service: Service, history: nx.DiGraph[str]) -> None:
    chosen = ["1", str(len(history)), *random.Random(20).sample(sorted(history), 200)]
    expected = {number: (len(nx.descendants(history, number)), len(nx.ancestors(history, number))) for number in chosen}
    assert sum(ancestors > 100 and descendants > 100 for ancestors, descendants in expected.values()) > 100, "the sample tests something"
    with httpx.Client(base_url=f"{service.url}/api/events", timeout=60) as client:

        def count(number: str, way: str) -> int:
            return client.get(f"/{event_id(number)}/{way}", params={"limit": 0}).raise_for_status().json()["count"]

        assert {number: (count(number, "ancestors"), count(number, "descendants")) for number in chosen} == expected


def test_the_pages_of_a_lineage_hold_every_ancestor_once_at_its_distance(service: Service, history: nx.DiGraph[str]) -> None:
    newest = str(len(history))
    found: list[tuple[str, int]] = []
    with httpx.Client(base_url=service.url, timeout=60) as client:
        url = f"/api/events/{event_id(newest)}/ancestors?limit=700"
        while url:
            page = client.get(url).raise_for_status()
            found += [(node["id"], node["depth"]) for node in page.json()["nodes"]]
            url = page.links.get("next", {}).get("url", "")
    distances: dict[str, int] = nx.single_source_shortest_path_length(history, newest)
    assert len(found) == len(history) - 1
    assert dict(found) == {event_id(number): away for number, away in distances.items() if number != newest}
    assert [depth for _, depth in found] == sorted(depth for _, depth in found)


def example(service: Service, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples/git_history.py", *arguments, "--url", service.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("git") / "little-story"
    subprocess.run(["git", "init", "--quiet", "--object-format=sha1", path], check=True)
    subprocess.run(["git", "-C", path, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["git", "-C", path, "fast-import", "--quiet", "--done"], input=STORY.read_bytes(), check=True)
    return path


def stored(service: Service) -> list[dict[str, Any]]:
    return httpx.get(f"{service.url}/api/events/trace/little-story").raise_for_status().json()


def test_a_clone_is_imported_in_two_goes_without_doubling_and_agrees_with_git(service: Service, repository: Path) -> None:
    begun = example(service, repository, "--limit", "5")
    assert begun.returncode == 0, begun.stderr
    assert sum(event["type"] == "proposal" for event in stored(service)) == 5

    done = example(service, repository, "--check", "50")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 13 commits agree with Git" in done.stdout
    events = stored(service)
    types = [event["type"] for event in events]
    assert {kind: types.count(kind) for kind in ("proposal", "reward", "penalty")} == {"proposal": 13, "reward": 2, "penalty": 2}

    again = example(service, repository)
    assert again.returncode == 0, again.stderr
    assert "all there before: nothing added" in again.stdout
    assert stored(service) == events

    # 0.3 from the commit, 0.05 * 1.2 from its tag, 0.1 taken by its revert; decay takes less than 5 % in the first minute
    strength = httpx.get(f"{service.url}/api/signals/src.app/change").raise_for_status().json()["strength"]
    assert 0.26 * 0.95 < strength < 0.26 + 1e-9

    # whatever else follows from a commit must make the check fail: it compares exactly
    first = next(event for event in events if not event["parent_ids"])
    more = {"type": "proposal", "scope": "x", "trace_id": "x", "agent_id": "x", "payload": {"action": "x"}, "parent_ids": [first["id"]]}
    httpx.post(f"{service.url}/api/events", json=more).raise_for_status()
    wrong = example(service, repository, "--check", "50")
    assert wrong.returncode == 1
    assert "1 of 13 commits differ from Git" in wrong.stdout


def test_a_wrong_address_is_told_at_once(repository: Path, service: Service) -> None:
    command = [sys.executable, ROOT / "examples/git_history.py", repository, "--url", "http://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "no service answers at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
