"""Every shell command that a page prints is run by a test, or is listed here with the reason why not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tracked_files import ROOT, tracked

RUN_BY = {
    "README.md": "tests/acceptance/test_readme.py",
    "docs/protocol.md": "tests/acceptance/test_protocol_page.py",
    "docs/mcp.md": "tests/acceptance/test_mcp_page.py",
    "docs/cypher.md": "tests/integration/test_cookbook.py",
    "docs/git-history.md": "tests/examples/test_pages.py",
    "examples/ant_colony/README.md": "tests/examples/test_pages.py",
    "examples/three_teams/README.md": "tests/examples/test_pages.py",
    "sdk/python/README.md": "tests/sdk/test_install_commands.py",
    "sdk/python/connectors.md": "tests/sdk/test_install_commands.py",
    "sdk/typescript/README.md": "tests/sdk/test_install_commands.py",
}
"""By page, the test that runs its `sh` and `bash` blocks, or says in its docstrings which part of a command it runs."""
NOT_RUN = {
    ("notebooks/README.md", "make notebooks"): "writes into the notebooks; tests/notebooks runs them without writing",
    ("notebooks/README.md", ".venv/bin/python -m pip install jupyterlab && .venv/bin/jupyter lab notebooks"): (
        "installs a program that no test needs, and serves until it is stopped"
    ),
    ("docs/mcp.md", "claude mcp add --transport http semp http://127.0.0.1:5000/mcp"): (
        "a program of others that needs an account; tests/acceptance/test_mcp_page.py compares its arguments with the configuration it runs"
    ),
    ("docs/mcp.md", "claude mcp add semp -- semp mcp --url http://127.0.0.1:5000"): "likewise",
}


def blocks(page: str, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    pattern = rf"^```(?:{'|'.join(languages)})\n(.*?)^```$"
    return re.findall(pattern, (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_every_command_in_a_block_is_run_or_listed() -> None:
    printed = {
        (page, line)
        for page in tracked(".md")
        for block in blocks(page, "console", *(() if page in RUN_BY else ("sh", "bash", "shell")))
        for line in block.splitlines()
    }
    assert printed == set(NOT_RUN)


def test_a_page_that_a_test_runs_has_commands_and_the_test_names_the_page() -> None:
    for page, test in RUN_BY.items():
        assert blocks(page, "sh", "bash"), page
        named = (ROOT / test).read_text("utf-8")
        assert Path(page).name in named, f"{test} does not name {page}"


def test_a_block_without_a_language_holds_no_command() -> None:
    """Tests find commands by the language of their block."""
    command = re.compile(r"(?:make|npm|pip|curl|docker|semp|claude|\.venv/bin/\w+) ")
    unmarked = [(page, block) for page in tracked(".md") for block in blocks(page, "") if command.match(block)]
    assert not unmarked


def test_every_printed_make_target_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in tracked(".md"):
        text = (ROOT / page).read_text("utf-8")
        printed = re.findall(r"`make\s+([a-z-]+)", text) + re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
        assert set(printed) <= targets, page
