"""The app is created without a warning, for example of a deprecated call."""

from __future__ import annotations

from semp.api.application import create_app
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.storage.memory.store import MemoryStore


async def test_the_app_is_made_without_a_warning() -> None:
    """Warnings are errors in this process. Most tests start the service as another process, where a warning would not fail them."""
    environment = Environment(MemoryStore(), Rules())
    await environment.start()
    app = create_app(environment)
    assert app.openapi_schema.to_schema()["paths"]
    await environment.stop()
