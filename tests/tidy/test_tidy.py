"""House rules that no linter keeps: widths, sizes, names, links, and files that must parse."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.tracked_files import ROOT, tracked

DOC_WIDTH = 120
MOST_LINES = 500
LONG = {
    "tests/acceptance/test_mcp.py": 500,
    "docs/protocol.md": 640,
    "CHANGELOG.md": 500,
    "sdk/python/tests/connectors/otel/test_otel.py": 630,
    "sdk/python/tests/connectors/autogen/test_autogen.py": 700,
}
"""Files that may be longer than MOST_LINES: tables of cases, and the contract on one page. Their bounds may only be lowered."""
FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "wanted", "telling", "underway", "hints"}
KNOWN = {
    "sdk/python/tests/connectors/autogen/test_managers.py",  # the term of AutoGen
    "cypher/common_causes.cypher", "cypher/common_causes_near.cypher",  # the term of graph theory
    "app/semp/relays/redis_hints.py",
}  # fmt: skip

MAY_SLEEP = {
    "tests/waiting.py": "polls a condition, with pauses",
    "tests/conftest.py": "polls whether a service is ready, with pauses",
    "tests/chaos.py": "clients pause at random, and processes are killed at random moments",
    "tests/strategies.py": "a store that takes a random time for each call; in simulated time",
    "tests/unit/test_committer_interleavings.py": "clients pause at random; in simulated time",
    "tests/senders.py": "clients pause at random; in simulated time",
    "tests/unit/test_handing_on.py": "frames take a random time and connections break at random moments; in simulated time",
    "tests/unit/test_committer_outages.py": "a database is away for 20 s; in simulated time",
    "tests/unit/test_heartbeat.py": "a database is silent for 60 s; in simulated time",
    "tests/integration/test_lost_commits.py": "connections are cut at random moments",
    "tests/acceptance/test_full_queue.py": "waits as long as Retry-After says, then there must be room",
    "tests/acceptance/test_command_reading.py": "appends the same events again and again until a watching command has printed them",
    "tests/acceptance/test_command_tail.py": "appends the same event again and again until a following command has printed it",
    "tests/sdk/test_integration_page.py": "the page's client retries; events are appended again until a callback was called",
    "tests/sdk/test_public_client.py": "a wait whose time must run out, for its answer",
    "tests/sdk/test_recording.py": "a thread that reports something every millisecond, as load",
}
"""Tests that let a fixed or random time pass, each with the reason; all others wait for a condition, see `tests/waiting.py`."""


def lines_of(name: str) -> list[str]:
    return (ROOT / name).read_text("utf-8").splitlines()


def prose(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Numbers and texts of lines that can be wrapped: no code, table, heading or HTML, and no word of 80 characters or more."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith(("|", "#", "<", "![", "[!")) and max(map(len, line.split()), default=0) < 80:
            yield number, line


def test_pages_are_wrapped() -> None:
    wide = [f"{name}:{number}" for name in tracked(".md") for number, line in prose(lines_of(name)) if len(line) > DOC_WIDTH]
    assert not wide, f"wider than {DOC_WIDTH} columns: {wide}"


def test_files_stay_small_enough_to_be_read() -> None:
    sizes = {name: len(lines_of(name)) for name in tracked(".py", ".ts", ".mjs", ".cypher", ".md", ".go", ".toml", ".yml")}
    long = {name: size for name, size in sizes.items() if size > LONG.get(name, MOST_LINES)}
    assert not long, f"move a second subject into a file of its own: {long}"
    assert not [name for name in LONG if name not in sizes], "a bound for a file that does not exist"


def words_of(name: str) -> set[str]:
    return set(re.split(r"[_.\-/]", name.lower()))


def test_names_say_what_is_inside() -> None:
    named = {name for name in tracked(".py", ".ts", ".cypher", ".md") if words_of(Path(name).name) & FORBIDDEN}
    assert named <= KNOWN, f"give it a name that says what is inside: {sorted(named - KNOWN)}"
    folders = {str(parent) for name in tracked("") for parent in Path(name).parents if words_of(parent.name) & FORBIDDEN}
    assert not folders


def links(name: str) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    names: set[str] = set()
    fenced = False
    for line in path.read_text("utf-8").splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (heading := re.match(r"#+ +(.*)", line)):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).replace("`", "")
            names.add(re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-"))
    return names


def test_links_between_pages_have_targets() -> None:
    broken: list[str] = []
    for name in tracked(".md"):
        for target in links(name):
            place, _, anchor = target.partition("#")
            path = ((ROOT / name).parent / place).resolve() if place else ROOT / name
            if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
                broken.append(f"{name} -> {target}")
    assert not broken


def test_every_page_can_be_reached_from_the_readme() -> None:
    pages = {name for name in tracked(".md") if not name.startswith((".github/", "app/"))}
    reached, front = {"README.md"}, ["README.md"]
    while front:
        name = front.pop()
        for target in links(name):
            path = ((ROOT / name).parent / target.partition("#")[0]).resolve()
            found = [path / "README.md", *path.glob("*.md")] if path.is_dir() else [path]
            for page in found:
                if page.suffix == ".md" and page.is_file() and (short := str(page.relative_to(ROOT))) not in reached:
                    reached.add(short)
                    front.append(short)
    assert not pages - reached, f"no page leads to {sorted(pages - reached)}"


def test_every_query_is_used() -> None:
    source = "".join((ROOT / name).read_text("utf-8") for name in tracked(".py") if name.startswith(("app/", "sdk/")))
    names = [name.removeprefix("cypher/").removesuffix(".cypher") for name in tracked(".cypher")]
    offered = ("cookbook/", "mirror/", "schema/", "published/")
    pages = (ROOT / "docs/cypher.md").read_text("utf-8")
    for name in names:
        if name.startswith("cookbook/"):
            assert name in pages, f"docs/cypher.md does not mention {name}"
        elif not name.startswith(offered):
            direction = re.sub(r"^(count|nearest)_(ancestors|descendants|roots|impact|provenance|consequences)(_where)?$", "", name)
            assert not direction or f'"{name}"' in source, f"nothing runs {name}"


@pytest.mark.parametrize("name", tracked(".json", ".toml", ".yml", ".yaml", ".ipynb", ".csv"))
def test_data_parses(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    if name.endswith((".json", ".ipynb")):
        if not name.endswith("tsconfig.json"):
            json.loads(text)
    elif name.endswith(".toml"):
        tomllib.loads(text)
    elif name.endswith(".csv"):
        assert len({len(row) for row in csv.reader(text.splitlines())}) == 1
    else:
        assert yaml.safe_load(text) is not None


def test_results_and_their_page_are_there() -> None:
    found = json.loads((ROOT / "benchmarks/results/latest.json").read_text("utf-8"))
    page = (ROOT / "benchmarks/results/latest.md").read_text("utf-8")
    assert found
    assert page.count("|") > 50


def test_lock_files_name_no_addresses() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    locks = [name for name in listed if name.startswith("requirements/") or name.endswith((".lock", "package-lock.json", "go.sum"))]
    assert len(locks) > 5
    pattern = {True: r'"resolved"', False: r"https?://"}  # the lock file of npm also has URLs of sponsors
    texts = {name: (ROOT / name).read_text("utf-8") for name in locks if (ROOT / name).is_file()}
    addressed = [name for name, text in texts.items() if re.search(pattern[name.endswith("package-lock.json")], text)]
    assert not addressed


def test_nothing_names_a_machine_or_a_user() -> None:
    pattern = re.compile(r"/(?:home|Users)/[a-z]\w+|/work/(?:main|wt)|/root/")
    found = [
        name
        for name in tracked(".py", ".md", ".ts", ".toml", ".yml", ".json", ".ipynb", ".sh")
        if pattern.search((ROOT / name).read_text("utf-8"))
    ]
    assert not [name for name in found if name != "tests/tidy/test_tidy.py"]


def test_the_workflow_runs_existing_make_targets() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    for step in steps:
        for target in re.findall(r"\bmake ([a-z-]+)", step):
            assert target in targets
    assert any("make quick" in step for step in steps)
    assert any(".ci/run" in step for step in steps)
    assert workflow["permissions"] == {"contents": "read"}


def test_no_test_waits_for_a_fixed_time() -> None:
    tests = [name for name in tracked(".py") if name.startswith("tests/") and name != "tests/tidy/test_tidy.py"]
    pause = re.compile(r"\.sleep\((?!0\))|\.wait\(0?\.\d|\btimeout\(0?\.\d")
    sleeping = {name for name in tests if pause.search((ROOT / name).read_text("utf-8"))}
    assert sleeping == set(MAY_SLEEP), f"wait for a condition, or list the reason for the pause: {sorted(sleeping ^ set(MAY_SLEEP))}"


def imports(name: str) -> Iterator[str]:
    """Everything that a Python file imports, as dotted names; relative imports without their leading dots."""
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def test_nothing_waits_with_a_function_that_can_lose_a_cancellation() -> None:
    """In Python 3.11, `asyncio.wait_for` drops a cancellation that comes together with the result. `asyncio.timeout` does not."""
    sources = [file for file in tracked(".py") if file.startswith(("app/", "sdk/python/src/"))]
    assert [file for file in sources if "asyncio.wait_for" in (ROOT / file).read_text("utf-8")] == []


def test_no_module_imports_a_test_module() -> None:
    """What several test modules need has a module of its own beside them, such as tests/events.py."""
    importing = {
        f"{name} imports {imported}"
        for name in tracked(".py")
        if name.startswith("tests/")
        for imported in imports(name)
        if any(part.startswith("test_") for part in imported.split("."))
    }
    assert not importing
