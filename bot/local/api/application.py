"""The API as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from bot.local.api import answers, errors, models
from bot.local.api.access import Access
from bot.local.api.files import FileRoutes
from bot.local.api.jobs import JobRoutes
from bot.local.api.upstream import Upstream
from bot.local.jobs.database import Database
from bot.local.jobs.examining import Examining
from bot.local.jobs.folder import Folder
from bot.local.jobs.making import Jobs
from bot.local.served import Served


def application(
    *,
    model: str,
    base: Path,
    database: Database,
    folder: Folder,
    work: Jobs,
    examining: Examining,
    served: Served,
    upstream: Upstream,
    keys: Collection[str],
    is_open: bool,
    status: Callable[[], dict[str, Any]],
    now: Callable[[], float],
) -> ASGIApp:
    """Everything under /v1, and GET /status for `tunebot local status`."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    errors.add(app)
    router = APIRouter(prefix="/v1")
    FileRoutes(database, folder, examining, now).add_to(router)
    JobRoutes(database, work, examining, model, base, now).add_to(router)
    models.add(router, database, served, model, int(base.stat().st_mtime))
    answers.add(router, database, upstream, model)
    app.include_router(router)
    app.get("/status")(status)
    return Access(app, keys, is_open=is_open)
