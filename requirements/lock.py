"""Resolve the newest dependencies that are allowed into the files beside this one: versions and hashes, no addresses.

run.txt and dev.txt are for the service, each file under connectors/ for one connector of the SDK and its framework: what all of their tests
need is in connectors.in, what one's alone need in connectors-NAME.in.

make lock
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
CONNECTORS = ("langgraph", "crewai", "autogen", "otel")
"""Extras of the SDK whose frameworks have an environment of their own: their pins need not fit together."""
OPTIONS = "--quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links"


def resolve(target: Path, *sources: str) -> None:
    """Write a file; anything pinned there that nothing needs any more goes."""
    command = [sys.executable, "-m", "uv", "pip", "compile", *sources, *OPTIONS.split(), "--upgrade", "-o", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603


def main(names: list[str]) -> None:
    """All of them, or those named."""
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
