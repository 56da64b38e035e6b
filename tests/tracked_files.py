"""The files of this checkout that git tracks."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
GENERATED = (
    "requirements/", "sdk/typescript/src/openapi.ts", "sdk/typescript/package-lock.json", "contract/openapi.json", "tests/fixtures/",
    "app/semp/api/pages/assets/", "benchmarks/results/", "notebooks/flask_history.csv",
)  # fmt: skip
"""Beginnings of the paths of generated files."""


def tracked(*endings: str) -> list[str]:
    """Files of the checkout that git tracks or would add, without generated ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return sorted(name for name in set(listed) if name.endswith(endings) and not name.startswith(GENERATED) and (ROOT / name).is_file())
