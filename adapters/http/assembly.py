"""Everything that the server answers, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from adapters.http import command, completions, docs, doors, operations, page, question
from adapters.http.errors import Refused, handle_errors
from adapters.http.exchanges import Exchanges
from adapters.http.guard import Guard, Origins, own_hosts
from adapters.http.keys import Keys
from adapters.http.limits import Rate
from adapters.http.settings import Settings
from bot.ports import Core

Routes = Callable[[Core, Exchanges, Settings], APIRouter]

ROUTES: Sequence[Routes] = (
    question.routes,
    command.routes,
    completions.routes,
    page.routes,
    operations.routes,
    docs.routes,
)
REFUSALS = (400, 401, 403, 408, 413, 421, 422, 429, 500, 503)


def assemble(
    core: Core,
    exchanges: Exchanges,
    settings: Settings,
    keys: Keys,
    port: int,
    now: Callable[[], float],
) -> FastAPI:
    """The whole server, for a port that is bound already. Raises ConfigError for doors that cannot
    be opened.
    """
    app = Application(
        title="tunebot",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        responses={status: {"model": Refused} for status in REFUSALS},
    )
    app.state.keys = bool(keys)
    routers = [routes(core, exchanges, settings) for routes in ROUTES]
    ours = {route.path for router in routers for route in router.routes if isinstance(route, Route)}
    for router in (doors.routes(core.doors, ours, now), *routers):
        app.include_router(router)
    handle_errors(app)
    app.add_middleware(
        Guard,
        settings=settings,
        keys=keys,
        origins=Origins(own_hosts(settings, port), any_host=not settings.loopback),
        rate=Rate(settings.requests_per_minute),
        doors={door.path: door.most_bytes for door in core.doors},
    )
    return app


class Application(FastAPI):
    """FastAPI, whose document says where a key is needed."""

    def openapi(self) -> dict[str, Any]:
        """The document for /openapi.json."""
        schema = super().openapi()
        if self.state.keys:
            bearer = {"type": "http", "scheme": "bearer"}
            schema.setdefault("components", {})["securitySchemes"] = {"key": bearer}
            schema["security"] = [{"key": []}]
        return schema
