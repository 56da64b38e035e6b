"""Resolve the newest dependencies that pyproject.toml allows into run.txt and dev.txt: versions and hashes, no addresses.

make lock
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = "--quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links"


def main() -> None:
    """Write both files; anything pinned there that nothing needs any more goes."""
    for name, groups in (("run.txt", ["build"]), ("dev.txt", ["build", "dev"])):
        chosen = [argument for group in groups for argument in ("--group", group)]
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *OPTIONS.split(), *chosen]
        subprocess.run([*command, "--upgrade", "-o", str(HERE / name)], cwd=HERE.parent, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
