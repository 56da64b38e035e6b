"""Programs that tests need and no Python package brings."""

from __future__ import annotations

import os
import shutil

import pytest


def program(*names: str) -> str:
    """The path of the first of these programs that is there.

    The first one is named like its Debian package. Where there is none, the test is skipped; where CI is set, it fails.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        what = f"no {names[0]} on the PATH (Debian: apt-get install {names[0]})"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(f"{what}, and CI is set: nothing is skipped", pytrace=False)
        pytest.skip(what)
    return found
