"""Importing the SDK imports no dependency, and every name in `__all__` is there."""

from __future__ import annotations

import subprocess
import sys

import semp_sdk

from .conftest import SOURCE


def in_a_fresh_interpreter(code: str) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n{code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_importing_the_package_imports_no_dependency() -> None:
    loaded = in_a_fresh_interpreter("import semp_sdk; print(*sys.modules)").split()
    assert "semp_sdk" in loaded
    assert not {"aiohttp", "websockets", "msgspec", "asyncio", "ssl"} & set(loaded)


def test_making_a_client_imports_neither_http_nor_websockets() -> None:
    loaded = in_a_fresh_interpreter("import semp_sdk; semp_sdk.Client(); semp_sdk.SEMPClient(); print(*sys.modules)").split()
    assert "semp_sdk.client" in loaded
    assert not {"aiohttp", "yarl", "websockets"} & set(loaded)


def test_every_name_of_all_is_there_and_no_other() -> None:
    for name in semp_sdk.__all__:
        assert getattr(semp_sdk, name) is not None
    assert dir(semp_sdk) == sorted(semp_sdk.__all__)
    assert not hasattr(semp_sdk, "Nothing")
