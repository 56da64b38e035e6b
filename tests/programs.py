"""Programs that tests need and that no Python package contains."""

from __future__ import annotations

import os
import shutil

import pytest


def program(*names: str) -> str:
    """The path of the first of these programs that is on the PATH.

    The first name is also that of its Debian package. Without any of them the test is skipped; where CI is set, it fails.
    """
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = f"no {names[0]} on the PATH (Debian: apt-get install {names[0]})"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(f"{reason}, and CI is set: nothing is skipped", pytrace=False)
        pytest.skip(reason)
    return path
