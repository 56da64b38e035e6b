"""Nothing this project calls is deprecated: what its tests do in other processes warns nobody."""

from __future__ import annotations

from semp.api.application import create_app
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.storage.memory.store import MemoryStore


async def test_the_app_is_made_without_a_warning() -> None:
    """Warnings are errors here; the service itself runs in a process of its own, where nobody would see one."""
    environment = Environment(MemoryStore(), Rules())
    await environment.start()
    app = create_app(environment)
    assert app.openapi_schema.to_schema()["paths"]
    await environment.stop()
