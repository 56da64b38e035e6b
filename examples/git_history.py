"""Import the history of any local Git clone as events, through the HTTP API.

Each commit becomes one event, a proposal of its author, with its parents as causes:

    commit   proposal  action `change`, `merge` or `revert`; author = agent_id; first changed folder = scope (`src/app` is `src.app`;
                       `root` when no folder changed; a merge is compared with its first parent); repository = trace_id
    tag      reward    its parent is the tagged commit, which was released
    revert   penalty   its parent is the commit named by "This reverts commit ..."; the reverting commit itself is also a proposal

Rewards and penalties move the signals of the proposals they follow from. So a tag strengthens the signal `<scope>:<action>` of the
tagged commit, and a revert weakens that of the reverted commit. The strengths of a folder show where work is released and where it is
reverted.

The id of an event is computed from the hash of the commit, and its content depends only on the commit. So the script can be run again,
after an interruption or after a `git pull`: only new events are added.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

Event = dict[str, Any]
Tag = tuple[str, str, str]  # name, hash of its target (a tag object if annotated), tagger (empty if not annotated)

NAMESPACE = uuid.UUID("3d0f7ad4-52f5-5d1c-9a5e-6a0a3c1b7c11")
BATCH = 1_000
PATIENCE = 300.0  # seconds for which a request is repeated while the service is unavailable or busy
MAX_NAME, MAX_SCOPE, MAX_PARENTS = 256, 256, 64  # the service's limits
TAG_VALUE, REVERT_VALUE = 0.05, -0.1  # small, so that strengths differ between folders instead of reaching 1 or 0 everywhere
REVERTS = re.compile(r"This reverts commit\s+([0-9a-f]{7,64})", re.IGNORECASE)


class Commit(NamedTuple):
    """One commit; bytes that are not UTF-8 are replaced by U+FFFD. `time` is the time of the committer in Unix seconds. `folder` is the
    first folder, in path order, with a changed file; it is None if no file changed, or only files at the top level."""

    sha: str
    parents: list[str]
    author: str
    time: int
    message: str
    folder: str | None


class Repository:
    """A clone, bare or not. It is read with a few Git processes, however long its history is."""

    FIELDS = ("/commit", "%H", "%P", "%an", "%ae", "%ct", "%B")  # no path begins with "/": the first field marks the next commit

    def __init__(self, path: Path, refs: list[str]) -> None:
        self.path = path
        self.environment = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")}
        self.head = self.git("rev-parse", "--quiet", "--verify", "HEAD^{commit}", check=False).strip()
        self.refs = ["--end-of-options", *refs] if refs else ["--branches", "--remotes", "--tags", *filter(None, [self.head])]

    def _command(self, *arguments: str) -> list[str]:
        # Replace refs are local to a clone, but the same hash must give the same event in every clone.
        return ["git", "--no-replace-objects", "-c", "log.showRoot=true", "-C", str(self.path), *arguments]

    def git(self, *arguments: str, check: bool = True) -> str:
        """The output of a Git command. If Git fails, the program ends with Git's message; with `check=False` the result is empty."""
        done = subprocess.run(self._command(*arguments), capture_output=True, env=self.environment)
        if done.returncode and check:
            raise SystemExit(done.stderr.decode(errors="replace").strip())
        return "" if done.returncode else done.stdout.decode(errors="backslashreplace")

    def _stream(self, separator: bytes, *arguments: str) -> Iterator[bytes]:
        with subprocess.Popen(self._command(*arguments), stdout=subprocess.PIPE, env=self.environment) as process:
            assert process.stdout is not None
            rest = b""
            while chunk := process.stdout.read(1 << 16):
                *whole, rest = (rest + chunk).split(separator)
                yield from whole
        if process.returncode:
            raise SystemExit(f"git {arguments[0]} ended with {process.returncode}")

    def name(self) -> str:
        """The last part of the remote's URL, which is the same for all clones; without a remote, the name of the folder."""
        folder = os.fsencode(self.path.resolve()).decode(errors="replace")
        address = self.git("config", "--get", "remote.origin.url", check=False).strip() or folder
        return re.split(r"[/\\:]", re.sub(r"(/?\.git)?/*$", "", address))[-1] or "git"

    def commits(self) -> Iterator[Commit]:
        """All commits, parents before children. Every setting that a user's Git configuration could change is passed as an option."""
        tokens = self._stream(
            b"\0", "log", "--topo-order", "--reverse", "-z", "--name-only", "--diff-merges=first-parent", "--no-renames", "-O/dev/null",
            "--ignore-submodules=none", "--no-relative", "--no-show-signature", "--encoding=UTF-8",
            "--format=" + "%x00".join(self.FIELDS) + "%x00", *self.refs, "--",
        )  # fmt: skip
        token = next(tokens, None)
        while token is not None:
            sha, parents, author, mail, seconds, message = (next(tokens).decode(errors="replace") for _ in self.FIELDS[1:])
            folder = None
            while (token := next(tokens, None)) not in (b"/commit", None):
                if folder is None and b"/" in token:
                    folder = token.removeprefix(b"\n").rpartition(b"/")[0].decode(errors="replace")
            yield Commit(sha, parents.split(), author.strip() or mail.strip() or "unknown", int(seconds), message, folder)

    def parent_lists(self) -> Iterator[list[str]]:
        """For each commit, a list of its hash and its parents' hashes, in the order of `commits`."""
        lines = self._stream(b"\n", "rev-list", "--topo-order", "--reverse", "--parents", *self.refs, "--")
        return (line.decode().split() for line in lines)

    def tags(self) -> dict[str, list[Tag]]:
        """Tags by the hash of the object that they finally refer to, usually a commit."""
        tags: dict[str, list[Tag]] = {}
        form = "%(refname:strip=2)%00%(objectname)%00%(*objecttype)%00%(*objectname)%00%(taggername)"
        for line in self.git("for-each-ref", f"--format={form}", "refs/tags").split("\n")[:-1]:
            name, target, kind, inner, tagger = line.split("\0")
            if kind == "tag":  # a tag of a tag
                inner = self.git("rev-parse", f"{target}^{{}}").strip()
            tags.setdefault(inner or target, []).append((name, target, tagger))
        return tags


def event_id(*parts: str) -> str:
    """A UUID (version 5) computed from the parts, so it is the same in every clone."""
    return str(uuid.uuid5(NAMESPACE, " ".join(parts)))


def scope_of(folder: str | None) -> str:
    """The scope of a folder: characters that are not allowed in a scope are replaced by `_`."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", (folder or "root").replace(".", "_").replace("/", "."))[:MAX_SCOPE].rstrip(".")


class Mapping:
    """Converts commits to events, in an order that the log accepts: causes first. `notes` counts what was converted and left out."""

    def __init__(self, trace: str, tags: dict[str, list[Tag]]) -> None:
        self.trace = trace[:MAX_NAME]
        self.tags = tags
        self.scopes: dict[str, str] = {}
        """The scope of every commit converted so far, by hash."""
        self.notes = Counter(commits=0, merges=0, tags=0, reverts=0)

    def events(self, commits: Iterable[Commit]) -> Iterator[Event]:
        unresolved: list[tuple[Commit, str]] = []
        for commit in commits:
            self.scopes[commit.sha] = scope_of(commit.folder)
            reverted = dict.fromkeys(sha.lower() for sha in REVERTS.findall(commit.message))
            yield self._proposal(commit, "revert" if reverted else "merge" if len(commit.parents) > 1 else "change")
            for tag, target, tagger in self.tags.get(commit.sha, ()):
                payload = {"value": TAG_VALUE, "reason": f"released as {tag}", "tag": tag}
                yield self._event("reward", commit.sha, tagger.strip() or commit.author, payload, "tag", tag, target)
            for sha in reverted:
                if sha in self.scopes:
                    yield self._penalty(commit, sha)
                else:
                    unresolved.append((commit, sha))
        known = sorted(self.scopes)
        for commit, sha in unresolved:  # an abbreviated hash, or a commit of another branch that comes later
            place = bisect_left(known, sha)
            matches = [name for name in known[place : place + 2] if name.startswith(sha)]
            if len(matches) == 1:
                yield self._penalty(commit, matches[0])
            else:
                self.notes["reverts of a commit that is not here, left out"] += 1
        self.notes["tags of what is not here, left out"] = sum(map(len, self.tags.values())) - self.notes["tags"]

    def _event(self, kind: str, cause: str, agent: str, payload: Event, *identity: str) -> Event:
        self.notes[f"{identity[0]}s"] += 1
        return {
            "id": event_id(*identity), "type": kind, "scope": self.scopes[cause], "trace_id": self.trace, "agent_id": agent[:MAX_NAME],
            "parent_ids": [event_id("commit", cause)], "payload": payload,
        }  # fmt: skip

    def _proposal(self, commit: Commit, action: str) -> Event:
        self.notes["merges"] += len(commit.parents) > 1
        self.notes[f"commits with more than {MAX_PARENTS} parents, cut to the first {MAX_PARENTS}"] += len(commit.parents) > MAX_PARENTS
        subject = commit.message.strip().partition("\n")[0][:MAX_NAME]
        payload = {"action": action, "params": {"commit": commit.sha, "subject": subject, "committed_at": commit.time}}
        event = self._event("proposal", commit.sha, commit.author, payload, "commit", commit.sha)
        return event | {"parent_ids": [event_id("commit", parent) for parent in commit.parents[:MAX_PARENTS]]}

    def _penalty(self, commit: Commit, reverted: str) -> Event:
        payload = {"value": REVERT_VALUE, "reason": f"reverted by {commit.sha}"}
        return self._event("penalty", reverted, commit.author, payload, "revert", commit.sha, reverted)


def ask(client: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """Send a request; repeat it for up to PATIENCE seconds while the service is unavailable or busy. This is safe, as all events have ids.

    Raises:
        SystemExit: the service refused the request, or PATIENCE has passed.
    """
    deadline, wait = time.monotonic() + PATIENCE, 0.5
    while True:
        wait = min(wait * 2, 30.0)
        try:
            answer = client.request(method, path, **request)
            if answer.is_success:
                return answer
            trouble = f"{answer.status_code} {answer.text[:2000]}"
            if answer.status_code not in (429, 503):
                raise SystemExit(f"the service refused {path}: {trouble}")
            after = answer.headers.get("retry-after", "")
            wait = float(after) if after.isdecimal() else wait
        except httpx.TransportError as error:
            trouble = str(error) or type(error).__name__
        if time.monotonic() + wait > deadline:
            raise SystemExit(f"gave up after {PATIENCE:g} s; run it again to go on where it stopped. Last answer: {trouble}")
        time.sleep(wait)


def import_events(client: httpx.Client, events: Iterator[Event], name: str, total: int) -> str:
    """Send all events in order; returns a line with their number and rate. The progress bar counts commits, `total` of them."""
    began, sent, new = time.monotonic(), 0, False
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("importing", total=total)
        while batch := list(islice(events, BATCH)):
            new |= ask(client, "POST", "/api/events/batch", params={"return": "minimal"}, json=batch).status_code == 201
            sent += len(batch)
            bar.advance(task, sum(event["type"] == "proposal" for event in batch))
    seconds = time.monotonic() - began
    return f"{name}: {sent} events in {seconds:.1f} s ({sent / seconds:.0f}/s)" + ("" if new else ", all there before: nothing added")


def descendant_counts(parent_lists: Iterable[list[str]], chosen: list[str]) -> dict[str, int]:
    """The number of descendants of each chosen commit, in one pass: bit i of a commit's mask is set if chosen[i] is an ancestor of it."""
    bits = {sha: 1 << index for index, sha in enumerate(chosen)}
    masks: dict[str, int] = {}
    for sha, *parents in parent_lists:
        masks[sha] = 0
        for parent in parents:
            masks[sha] |= masks[parent] | bits.get(parent, 0)
    tally = Counter(masks.values())
    return {sha: sum(times for mask, times in tally.items() if mask & bit) for sha, bit in bits.items()}


def check(client: httpx.Client, repository: Repository, imported: list[str], sample: int) -> int:
    """Compare the numbers of ancestors and descendants with Git, for the newest commit and `sample` random ones.

    Returns the number of commits that differ.
    """
    newest = repository.head if repository.head in imported else imported[-1]
    chosen = list(dict.fromkeys([newest, *random.sample(imported, max(0, min(sample, len(imported))))]))
    below = descendant_counts(islice(repository.parent_lists(), len(imported)), chosen)
    table = Table("commit", "ancestors: Git", "service", "descendants: Git", "service")
    differences = 0
    with Progress(console=Console(stderr=True)) as bar:
        for index, sha in enumerate(bar.track(chosen, description="comparing with Git")):
            row = [int(repository.git("rev-list", "--count", sha, "--")) - 1, 0, below[sha], 0]
            for place, way in ((1, "ancestors"), (3, "descendants")):
                path = f"/api/events/{event_id('commit', sha)}/{way}"
                row[place] = int(ask(client, "GET", path, params={"limit": 0, "type": "proposal"}).json()["count"])
            same = row[0] == row[1] and row[2] == row[3]
            differences += not same
            if index < 5 or not same:
                table.add_row(sha[:12], *map(str, row), style=None if same else "red")
    Console().print(table)
    hint = "; unless the log holds more of this history than --ref and --limit name, that is an error of the service"
    print(f"{differences} of {len(chosen)} commits differ from Git{hint}" if differences else f"all {len(chosen)} commits agree with Git")
    return differences


def extract(commits: Iterable[Commit], name: str, file: Path) -> str:
    """Write only the structure of the history, for tests: the file contains no hash, name, message or path. Returns its description."""
    numbers: dict[str, int] = {}
    lines: list[str] = []
    merges = 0
    for number, commit in enumerate(commits, 1):
        numbers[commit.sha] = number
        merges += len(commit.parents) > 1
        lines.append(f"{number} {','.join(str(numbers[parent]) for parent in commit.parents) or '-'} {commit.time}\n")
    what = f"{len(lines)} commits ({merges} merges) of the Git history of {name}, structure only, oldest first"
    file.write_text(f"# {what}. A line: number, parents (- for none), committer time.\n" + "".join(lines))
    return what


def main() -> int:
    about, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("path", metavar="PATH", type=Path, help="a clone, or a bare Git directory")
    add("--url", default=os.environ.get("SEMP_URL", "http://127.0.0.1:5000"), help="where the service listens (default: %(default)s)")
    add("--ref", action="append", default=[], help="only the history of this branch, tag or commit; may be repeated (default: all)")
    add("--trace", metavar="NAME", help="trace_id of all events (default: the name of the remote, else of the folder)")
    add("--limit", metavar="N", type=int, help="only the N oldest commits; a later run without it adds the rest")
    add("--check", metavar="N", type=int, help="then compare the newest and N random commits with Git; exit 1 when any differs")
    add("--extract", metavar="FILE", type=Path, help="import nothing: write numbers, parents and times to FILE, as a test fixture")
    options = parser.parse_args()

    repository = Repository(options.path, options.ref)
    name = options.trace or repository.name()
    total = min(int(repository.git("rev-list", "--count", *repository.refs, "--")), options.limit or sys.maxsize)
    if total < 1:
        raise SystemExit(f"nothing to import: no commits in {options.path}, or --limit is below 1")
    commits = islice(repository.commits(), total)
    if options.extract:
        print(f"{options.extract}: {extract(commits, name, options.extract)}")
        return 0
    mapping = Mapping(name, repository.tags())
    with httpx.Client(base_url=options.url, timeout=httpx.Timeout(300.0, connect=10.0)) as client:
        try:
            client.get("/health/live")  # so that a wrong address fails at once, not after PATIENCE
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise SystemExit(f"no service answers at {options.url} ({error}); start it with `make run`, or name it with --url") from None
        print(import_events(client, mapping.events(commits), name, total))
        print("\n".join(f"  {number} {note}" for note, number in mapping.notes.items() if number))
        if repository.git("rev-parse", "--is-shallow-repository").strip() == "true":
            print("  a shallow clone: the commits at its edge were imported without their parents")
        return 1 if options.check and check(client, repository, list(mapping.scopes), options.check) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; run it again to go on")
