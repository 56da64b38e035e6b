"""The commands of README.md, run as printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx

from tests.conftest import free_port, wait_ready
from tests.programs import program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PRINTED = "http://127.0.0.1:5000"


def test_the_two_commands_are_there_and_ci_runs_the_second() -> None:
    assert BLOCKS[0] == "make run\n"
    assert "make test\n" in BLOCKS
    assert "\nmake test\n" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_first_lines_show_how_to_run_it_and_an_event_with_its_effect() -> None:
    first_lines = "\n".join(README.splitlines()[:50])
    assert all(word in first_lines for word in ("make run", "make test", '"type": "proposal"', '"type": "reward"', '"strength":0.898'))


def test_every_link_to_a_file_has_a_target() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_works_as_printed(tmp_path: Path) -> None:
    """Only the port differs from the page, because a service of the reader may run on port 5000."""
    program("curl")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_") or name == "SEMP_CACHE"}
    environment |= {"SEMP_DATA": str(tmp_path / "data"), "SEMP_PORT": str(port), "SEMP_URL": url}
    with (tmp_path / "run.log").open("w") as log:
        service = subprocess.Popen(["make", "run"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_ready(url, service, tmp_path / "run.log")
        for block in BLOCKS:
            if block not in ("make run\n", "make test\n"):
                line = ["bash", "-euo", "pipefail", "-c", block.replace(PRINTED, url)]
                done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
                assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
                assert '"message"' not in done.stdout, done.stdout
        [strength] = [found["strength"] for found in httpx.get(f"{url}/api/signals").json() if found["pattern"] == "improve_ux"]
        assert 0.3 < strength <= 0.9
    finally:
        os.killpg(service.pid, signal.SIGINT)
        service.wait(60)
        (ROOT / "log.ndjson").unlink(missing_ok=True)
