"""For those who run it: whether it lives, whether it works, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from adapters.http.exchanges import Exchanges
from adapters.http.settings import Settings
from bot.ports import Core

HEALTHY = "ok"


class Part(BaseModel):
    """A part of the program: whether it works, and what was found, "" for strangers."""

    name: str
    works: bool
    found: str


class Readiness(BaseModel):
    """Whether every part works."""

    ready: bool
    parts: list[Part]


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG001
    """/healthz, /readyz and /metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", response_class=PlainTextResponse)
    async def health() -> str:
        """Say that the process lives."""
        return HEALTHY

    @router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readiness(request: Request) -> Response:
        """Say of database, providers and adapters whether each works, and to who may know, why."""
        told = request.state.trusted
        parts = [
            Part(name=check.what, works=check.works, found=check.found if told else "")
            for check in await core.ready()
        ]
        found = Readiness(ready=all(part.works for part in parts), parts=parts)
        return JSONResponse(found.model_dump(), 200 if found.ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Give what is counted and timed, for Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
