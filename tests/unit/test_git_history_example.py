"""examples/git_history.py on a small repository that has every unusual case of a Git history."""

from __future__ import annotations

import importlib.util
import itertools
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import networkx as nx
import pytest
from semp.domain.events import NewEvent, draft

ROOT = Path(__file__).resolve().parents[2]
STORY = ROOT / "tests/fixtures/git_history.fast-import"


def load_example() -> Any:
    spec = importlib.util.spec_from_file_location("git_history", ROOT / "examples/git_history.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["git_history"] = module
    spec.loader.exec_module(module)
    return module


example = load_example()


def git(repository: Path, *arguments: str, stdin: bytes = b"") -> str:
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    done = subprocess.run(["git", *identity, "-C", str(repository), *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode(errors="replace").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "story"
    path.mkdir()
    git(path, "init", "--quiet", "--object-format=sha1")
    git(path, "symbolic-ref", "HEAD", "refs/heads/main")
    git(path, "fast-import", "--quiet", "--done", stdin=STORY.read_bytes())
    return path


def events_of(path: Path, *refs: str, trace: str = "story", limit: int | None = None) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The events, each validated as the service does, and the notes of the import with their counts."""
    source = example.Repository(path, list(refs))
    mapping = example.Mapping(trace, source.tags())
    events = list(mapping.events(itertools.islice(source.commits(), limit)))
    before: set[str] = set()
    for event in events:
        draft(msgspec.convert(event, NewEvent))
        assert before.issuperset(event["parent_ids"]), "causes come first"
        before.add(event["id"])
    assert len(before) == len(events)
    return events, {note: number for note, number in mapping.notes.items() if number}


def by_subject(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["payload"]["params"]["subject"].strip(): event for event in events if event["type"] == "proposal"}


def test_every_commit_of_every_branch_is_one_proposal_with_its_parents(repository: Path) -> None:
    events, notes = events_of(repository)
    commit_of = {event["id"]: event["payload"]["params"]["commit"] for event in events if event["type"] == "proposal"}
    found = {commit_of[event["id"]]: [commit_of[parent] for parent in event["parent_ids"]] for event in events if event["id"] in commit_of}
    expected = {sha: parents for sha, *parents in map(str.split, git(repository, "rev-list", "--all", "--parents").splitlines())}
    assert found == expected
    assert sorted(map(len, found.values())) == [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4]
    assert (notes["commits"], notes["merges"]) == (13, 2)
    assert {event["trace_id"] for event in events} == {"story"}


def test_the_first_changed_folder_is_the_scope(repository: Path) -> None:
    commits = by_subject(events_of(repository)[0])
    scopes = {subject: event["scope"] for subject, event in commits.items() if not subject.startswith("long")}
    assert scopes == {
        "Begin": "root",
        "Add the app": "src.app",
        "Write d\ufffdj\ufffd vu": "docs_v2._ber_uns",
        "Test it": "tests",
        "Octopus": "tests",  # the folder of its changes against its first parent
        "Import a library": "vendor",
        "Join a second root": "root",  # it changed nothing
        'Revert "Add the app"': "src.app",
        'Revert "Test it"': "tests",
        "Revert what nobody has": "a_b",
        "Change nothing": "root",
        "/commit": "docs_v2",
    }
    [long] = [event["scope"] for subject, event in commits.items() if subject.startswith("long")]
    assert long == "deep." + "d" * 200 + "." + "e" * 50


@pytest.mark.parametrize(("folder", "scope"), [("a/b", "a.b"), (".github", "_github"), ("d" * 255 + "/e", "d" * 255), (None, "root")])
def test_any_folder_makes_a_valid_scope(folder: str | None, scope: str) -> None:
    assert example.scope_of(folder) == scope


def test_unusual_author_names_become_valid_agent_ids(repository: Path) -> None:
    commits = by_subject(events_of(repository)[0])
    assert commits["Write d\ufffdj\ufffd vu"]["agent_id"] == "Zo\ufffd"
    assert commits["Test it"]["agent_id"] == "bot@example.org"
    assert next(event["agent_id"] for subject, event in commits.items() if subject.startswith("long")) == "N" * 256


def test_the_action_is_the_kind_of_the_commit(repository: Path) -> None:
    actions = {subject: event["payload"]["action"] for subject, event in by_subject(events_of(repository)[0]).items()}
    assert [actions[subject] for subject in ("Begin", "Octopus", 'Revert "Test it"')] == ["change", "merge", "revert"]


def test_a_tag_rewards_the_commit_it_points_to(repository: Path) -> None:
    git(repository, "tag", "--annotate", "again", "v1", "-m", "a tag of a tag")
    git(repository, "tag", "file", "main:README")
    events, notes = events_of(repository)
    commits = by_subject(events)
    rewards = {event["payload"]["tag"]: event for event in events if event["type"] == "reward"}
    parents = {tag: event["parent_ids"] for tag, event in rewards.items()}
    app, join = commits["Add the app"]["id"], commits["Join a second root"]["id"]
    assert parents == {"v1": [app], "again": [app], "latest": [join]}
    assert {tag: event["agent_id"] for tag, event in rewards.items()} == {"v1": "Release Robot", "again": "Tester", "latest": "Ada"}
    assert rewards["v1"]["scope"] == "src.app"
    assert notes["tags"] == 3
    assert notes["tags of what is not here, left out"] == 1


def test_a_revert_penalises_the_reverted_commit(repository: Path) -> None:
    events, notes = events_of(repository)
    commits = by_subject(events)
    penalties = [(event["parent_ids"], event["scope"], event["agent_id"]) for event in events if event["type"] == "penalty"]
    assert penalties == [([commits["Add the app"]["id"]], "src.app", "Grace"), ([commits["Test it"]["id"]], "tests", "Ada")]
    assert notes["reverts"] == 2
    assert notes["reverts of a commit that is not here, left out"] == 1


def test_another_clone_with_other_settings_gives_the_same_events(repository: Path, tmp_path: Path) -> None:
    events, _ = events_of(repository)
    bare = tmp_path / "elsewhere.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(bare))
    order = tmp_path / "order"
    order.write_text("tests*\nsrc*\n")
    settings = {
        "diff.orderFile": str(order), "log.showSignature": "true", "log.showRoot": "false", "diff.renames": "copies",
        "log.diffMerges": "separate", "i18n.logOutputEncoding": "latin1",
    }  # fmt: skip
    for name, value in settings.items():
        git(bare, "config", name, value)
    assert events_of(bare)[0] == events
    assert example.Repository(bare, []).name() == example.Repository(repository, []).name() == "story"


def test_a_signature_or_another_encoding_in_a_commit_changes_nothing_else(repository: Path, tmp_path: Path) -> None:
    gpg = tmp_path / "gpg"
    gpg.write_text("#!/bin/sh\necho 'gpg: no such key' >&2\nexit 1\n")
    gpg.chmod(0o755)
    git(repository, "config", "gpg.program", str(gpg))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "i18n.logOutputEncoding", "latin1")
    raw = (
        b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent %s\n"
        b"author Zo\xeb <z@b> 1800000000 +0000\ncommitter Zo\xeb <z@b> 1800000000 +0000\n"
        b"encoding ISO-8859-1\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n bm90aGluZw==\n -----END PGP SIGNATURE-----\n\nD\xe9j\xe0 vu\n"
    ) % git(repository, "rev-parse", "vendor").encode()
    git(repository, "hash-object", "-t", "tree", "-w", "--stdin")
    sha = git(repository, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    _, event = events_of(repository, sha)[0]
    assert event["agent_id"] == "Zo\u00eb"
    assert event["payload"]["params"] == {"commit": sha, "subject": "D\u00e9j\u00e0 vu", "committed_at": 1800000000}


def test_imported_events_stay_the_same_when_the_history_grows(repository: Path) -> None:
    before, _ = events_of(repository)
    git(repository, "reset", "--quiet", "--hard")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "More")
    git(repository, "tag", "v2")
    after, _ = events_of(repository)
    assert [event for event in after if event in before] == sorted(before, key=after.index)
    assert len(after) == len(before) + 2


def test_refs_and_limit_choose_a_part_that_is_closed_under_parents(repository: Path) -> None:
    assert len(by_subject(events_of(repository, "a")[0])) == 3
    assert len(by_subject(events_of(repository, "a", "vendor")[0])) == 4
    for limit in range(1, 13):
        assert len(by_subject(events_of(repository, limit=limit)[0])) == limit


def test_commits_come_in_the_order_that_the_check_needs(repository: Path) -> None:
    interleaved = b"".join(
        b"commit refs/heads/%s\nmark :%d\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (b"y" if mark % 2 else b"x", mark, mark)
        + (b"from :%d\n" % (mark - 2) if mark > 2 else b"")
        for mark in range(1, 20)
    )
    git(repository, "fast-import", "--quiet", stdin=interleaved)
    source = example.Repository(repository, ["x", "y"])
    assert [commit.sha for commit in source.commits()] == [sha for sha, *_ in source.parent_lists()]


def test_a_shallow_clone_is_imported_without_the_parents_it_lacks(repository: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "2", repository.as_uri(), str(shallow))
    commits = by_subject(events_of(shallow)[0])
    assert {subject: len(event["parent_ids"]) for subject, event in commits.items()} == {"Revert what nobody has": 0, "Change nothing": 1}


def test_a_commit_with_too_many_parents_keeps_the_first(repository: Path) -> None:
    roots = b"".join(
        b"commit refs/heads/r%d\nmark :%d\ncommitter A <a@b> %d +0000\ndata 1\nr\n" % (number, number, number) for number in range(1, 71)
    )
    merge = b"commit refs/heads/big\ncommitter A <a@b> 100 +0000\ndata 3\nbig\nfrom :1\n"
    others = b"".join(b"merge :%d\n" % number for number in range(2, 71))
    git(repository, "fast-import", "--quiet", stdin=roots + merge + others)
    events, notes = events_of(repository, "big")
    assert [len(event["parent_ids"]) for event in events][-1] == 64
    assert notes["commits with more than 64 parents, cut to the first 64"] == 1


def test_a_folder_that_is_no_repository_is_reported_in_gits_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not a git repository"):
        example.Repository(tmp_path, []).git("rev-list", "--count", "--all")


def answering(*steps: httpx.Response | Exception) -> tuple[httpx.Client, list[httpx.Request]]:
    """A client that gets these answers and failures, one for each request, and the list of its requests."""
    left, seen = list(steps), list[httpx.Request]()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        step = left.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return httpx.Client(base_url="http://service", transport=httpx.MockTransport(handle)), seen


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each sleep; the sleeps take no time."""
    times: list[float] = []
    now = itertools.accumulate(itertools.repeat(0.0))
    monkeypatch.setattr(example.time, "monotonic", lambda: next(now) + sum(times))
    monkeypatch.setattr(example.time, "sleep", times.append)
    return times


def test_a_busy_service_is_asked_again_after_the_time_it_names(slept: list[float]) -> None:
    client, seen = answering(httpx.Response(503, headers={"retry-after": "7"}), httpx.ReadError("gone"), httpx.Response(201, json={}))
    assert example.ask(client, "POST", "/api/events/batch", json=[]).status_code == 201
    assert slept[0] == 7
    assert len(slept) == 2
    assert len({request.content for request in seen}) == 1


def test_a_service_that_stays_away_ends_the_import(slept: list[float]) -> None:
    client, _ = answering(*[httpx.ConnectError("refused")] * 1000)
    with pytest.raises(SystemExit, match="run it again"):
        example.ask(client, "GET", "/")
    assert 200 < sum(slept) <= example.PATIENCE


def test_a_refusal_ends_the_import_at_once(slept: list[float]) -> None:
    client, _ = answering(httpx.Response(409, json={"message": "id taken"}))
    with pytest.raises(SystemExit, match="id taken"):
        example.ask(client, "POST", "/api/events/batch", json=[])
    assert slept == []


def test_descendants_are_counted_as_networkx_counts_them() -> None:
    chance = random.Random(3)
    parents = [[str(n), *{str(chance.randrange(n)) for _ in range(chance.randrange(4)) if n}] for n in range(300)]
    graph = nx.DiGraph((child, parent) for child, *rest in parents for parent in rest)
    graph.add_nodes_from(child for child, *_ in parents)
    chosen = chance.sample(sorted(graph), 100)
    assert example.descendant_counts(parents, chosen) == {sha: len(nx.ancestors(graph, sha)) for sha in chosen}


def checked(repository: Path, wrong: Callable[[str], int]) -> int:
    """Run `check` against a service whose counts are those of Git plus `wrong(path)`. Returns the number of differences."""
    source = example.Repository(repository, [])
    commits = [commit.sha for commit in source.commits()]
    graph = nx.DiGraph((sha, parent) for sha, *parents in source.parent_lists() for parent in parents)
    ids = {example.event_id("commit", sha): sha for sha in commits}

    def handle(request: httpx.Request) -> httpx.Response:
        _, _, _, own, way = request.url.path.split("/")
        assert dict(request.url.params) == {"limit": "0", "type": "proposal"}
        reached: set[str] = nx.descendants(graph, ids[own]) if way == "ancestors" else nx.ancestors(graph, ids[own])
        return httpx.Response(200, json={"count": len(reached) + wrong(request.url.path)})

    with httpx.Client(base_url="http://service", transport=httpx.MockTransport(handle)) as client:
        return example.check(client, source, commits, 13)


def test_the_check_finds_every_wrong_count_and_no_other(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = example.event_id("commit", git(repository, "rev-parse", "main"))
    assert checked(repository, lambda path: 0) == 0
    assert "all 13 commits agree with Git" in capsys.readouterr().out
    assert checked(repository, lambda path: path == f"/api/events/{newest}/ancestors") == 1
    assert "1 of 13 commits differ" in capsys.readouterr().out
    assert checked(repository, lambda path: -path.endswith("descendants")) == 13


def test_an_extract_holds_structure_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "extract.txt"
    example.extract(example.Repository(repository, ["main"]).commits(), "a story", file)
    first, *lines = file.read_text().splitlines()
    assert first.startswith("# 12 commits (2 merges) of the Git history of a story")
    rows = [line.split() for line in lines]
    times = git(repository, "log", "--topo-order", "--reverse", "--format=%ct", "main").split()
    assert [row[0] for row in rows] == [str(number) for number in range(1, 13)]
    assert [row[2] for row in rows] == times
    assert sorted(len(row[1].split(",")) if row[1] != "-" else 0 for row in rows) == [0, 0, *[1] * 8, 2, 4]
    assert all(int(parent) < int(row[0]) for row in rows if row[1] != "-" for parent in row[1].split(","))
