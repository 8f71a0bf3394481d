"""The interface's own documentation, in the browser: Swagger UI from its wheel, nothing fetched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]  # it has none

from adapters.http.exchanges import Exchanges
from adapters.http.settings import Settings
from bot.ports import Core

FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")

# Swagger UI writes style attributes, and its pictures are data.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>tunebot: the HTTP interface</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="docs"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script type="module" src="docs/start.js"></script>
</html>
"""

# The wheel's Swagger UI shows what OpenAPI 3.1 says, but takes nothing that says 3.1. Without a
# null for validatorUrl it would send the document to a server elsewhere.
START = """const response = await fetch("openapi.json");
const spec = { ...(await response.json()), openapi: "3.0.3" };
SwaggerUIBundle({
  spec,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG001
    """/docs and its files; nothing where the settings say so."""
    router = APIRouter(include_in_schema=False)
    if not settings.docs:
        return router

    @router.get("/docs")
    async def page() -> Response:
        return HTMLResponse(PAGE, headers={"content-security-policy": POLICY})

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    for name in FILES:
        router.add_api_route(f"/docs/{name}", giver(name))
    return router


def giver(name: str) -> Callable[[], Awaitable[FileResponse]]:
    """The route of a file of Swagger UI."""

    async def give() -> FileResponse:
        return FileResponse(swagger_ui_path / name)

    return give
