"""Writes the lock files in this folder: the newest allowed versions of all dependencies, with hashes and without addresses. Run: make lock.

run.txt and dev.txt are for the service and for development. Each file under connectors/ is for one connector of the SDK and its framework.
connectors.in lists what the tests of all connectors need, connectors-NAME.in what only those of one connector need.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
CONNECTORS = ("langgraph", "crewai", "autogen", "otel")
"""Extras of the SDK. Each has its own environment, because their frameworks may need different versions of the same package."""
OPTIONS = "--quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links"


def resolve(target: Path, *sources: str) -> None:
    """Write a lock file from its sources. A pinned version that is no longer needed is removed.

    Raises:
        CalledProcessError: the dependencies cannot be resolved.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", *sources, *OPTIONS.split(), "--upgrade", "-o", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603


def main(names: list[str]) -> None:
    """Write the lock files with these names, or all."""
    groups = {"run": ("build",), "dev": ("build", "dev")}
    for name in names or [*groups, *CONNECTORS]:
        if name in groups:
            resolve(HERE / f"{name}.txt", "pyproject.toml", *[word for group in groups[name] for word in ("--group", group)])
        else:
            own = [str(path.relative_to(ROOT)) for path in HERE.glob(f"connectors-{name}.in")]
            sources = ("sdk/python/pyproject.toml", "requirements/connectors.in", *own, "--extra", name)
            resolve(HERE / "connectors" / f"{name}.txt", *sources)


if __name__ == "__main__":
    main(sys.argv[1:])
