"""Write openapi.json in this folder: the document that the service serves at `/schema/openapi.json`. `make contract` runs this script.

Clients are generated from the committed document. So changes of it are visible in reviews, and a test compares it with the document
of the service.
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
    """The OpenAPI document. It is made without a database, and without side effects."""
    app = create_app(Environment(MemoryStore(), Rules()))
    return json.loads(encode_json(app.openapi_schema.to_schema()))


def text(document: dict[str, Any]) -> str:
    """The document as it is committed: one value per line, so that a diff shows only what changed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(document()), "utf-8")
