"""`/schema`: a page to read and try the API. It is Swagger UI, served from this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Request, Router
from litestar.datastructures import ResponseHeader
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]

ASSETS = Path(__file__).parent / "assets"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page runs only this service's scripts and sends requests only to it. Swagger UI sets `style` attributes, so these are allowed."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SEL/SEMP API</title>
<link rel="icon" type="image/png" href="{base}assets/favicon-32x32.png">
<link rel="stylesheet" href="{base}assets/swagger-ui.css">
</head>
<body>
<div id="api" data-document="{base}openapi.json"></div>
<script src="{base}assets/swagger-ui-bundle.js"></script>
<script src="{base}assets/start.js"></script>
</body>
</html>
"""


class ReferencePage(OpenAPIRenderPlugin):
    """The reference page, at `/schema` and `/schema/swagger`."""

    def __init__(self) -> None:
        super().__init__(path="/swagger")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - the page fetches it
        """The HTML page. Its links are relative, so that it works behind a proxy that serves it under another path."""
        return _PAGE.format(base="schema/" if request.url.path.endswith("/schema") else "").encode()


def schema_router() -> Router:
    """`/schema`, with the static files of its page."""
    assets = create_static_files_router("/assets", [ASSETS], include_in_schema=False, name="assets", cache_control=None)
    policy = ResponseHeader(name="content-security-policy", value=PAGE_POLICY, documentation_only=False)
    return Router("/schema", route_handlers=[assets], response_headers=[policy], include_in_schema=False)
