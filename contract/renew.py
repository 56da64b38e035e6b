"""Write openapi.json beside this file: the document that the service gives at `/schema/openapi.json`. `make contract` runs it.

The committed document is the contract that clients are made from. A change of it is seen in review, and a test compares it with
what the service gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from litestar.serialization import encode_json
from semp.api.application import create_app
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.storage.memory.store import MemoryStore

FILE = Path(__file__).with_name("openapi.json")


def document() -> dict[str, Any]:
    """The document, made without a database. No side effects."""
    app = create_app(Environment(MemoryStore(), Rules()))
    return json.loads(encode_json(app.openapi_schema.to_schema()))


def text(found: dict[str, Any]) -> str:
    """As it is committed: one thing a line, so that a change shows nothing but itself."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(document()), "utf-8")
