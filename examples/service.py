"""A new service for an example: it runs on an embedded Neo4j in a temporary folder, which is deleted afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"--heap": "512m", "--page-cache": "128m"}


class Running:
    """A `semp serve` process that was started for the current process."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """Start a service and wait until it accepts events, about ten seconds.

        Args:
            options: further options of `semp serve`, by name, such as `--lambda`.

        Raises:
            RuntimeError: the service did not start; contains its output.
        """
        self._data = tempfile.mkdtemp(prefix="semp-example-")
        chosen = {"--port": "0", "--data": self._data, **SMALL, **options}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_") or name == "SEMP_CACHE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "semp", "serve", *[word for option in chosen.items() for word in option]],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        printed: list[str] = []
        for line in self._process.stdout:
            printed.append(line)
            if "listening" in line:
                self.url = line.split()[1]
                return
        self.stop()
        raise RuntimeError("the service did not start:\n" + "".join(printed))

    def stop(self) -> None:
        """Stop the service and delete its data. It is killed if it does not end within 30 seconds."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self._data, ignore_errors=True)


@contextmanager
def fresh_service(url: str | None, options: Mapping[str, str]) -> Generator[str]:
    """The URL of a service for the duration of a block: the given one, or that of a service started with these options.

    Raises:
        SystemExit: no service answers at the given URL.
        RuntimeError: the service did not start.
    """
    if url is not None:
        try:
            urllib.request.urlopen(f"{url}/health/live", timeout=5).close()
        except (OSError, ValueError) as error:
            raise SystemExit(f"no service answers at {url}: {error}") from None
        yield url
        return
    running = Running(options)
    try:
        yield running.url
    finally:
        running.stop()
