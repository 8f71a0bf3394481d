"""Errors in OpenAI's form: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bot.errors import LocalUnavailable
from bot.local.jobs.database import for_want_of_room

log = structlog.get_logger(__name__)


class Refused(Exception):
    """A request that is not answered. `code` and `param` are for programs."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = headers


def form(refused: Refused) -> dict[str, Any]:
    """A refusal as OpenAI writes it."""
    kind = "server_error" if refused.status >= 500 else "invalid_request_error"
    error = {"message": refused.message, "type": kind, "param": refused.param, "code": refused.code}
    return {"error": error}


def refusal(refused: Refused) -> JSONResponse:
    """A refusal as it goes out."""
    return JSONResponse(form(refused), refused.status, headers=refused.headers)


def add(app: FastAPI) -> None:
    """Translate everything that routes raise."""

    @app.exception_handler(Refused)
    async def _(_: Request, error: Refused) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        param = str(first["loc"][-1])
        return refusal(Refused(400, f"{param}: {first['msg']}.", "invalid_value", param))

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        asked = f"{request.method} {request.url.path}"
        if error.status_code in {404, 405}:
            # As OpenAI words it; clients know by it that there is no such thing here.
            return refusal(
                Refused(error.status_code, f"Unknown request URL: {asked}.", "unknown_url")
            )
        return refusal(Refused(error.status_code, str(error.detail)))

    @app.exception_handler(LocalUnavailable)
    async def _(_: Request, error: LocalUnavailable) -> JSONResponse:
        return refusal(Refused(503, str(error), "model_not_available"))

    @app.exception_handler(OSError)
    @app.exception_handler(sqlite3.Error)
    async def _(_: Request, error: Exception) -> JSONResponse:
        return refusal(unkept(error))

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", path=request.url.path, exc_info=error)
        return refusal(Refused(500, "The server had an error of its own: its log says more."))


def unkept(error: Exception) -> Refused:
    """What it means that something could not be read or written."""
    log.warning("storage fails", reason=str(error))
    if for_want_of_room(error):
        return Refused(507, "The disk of this server is full: make room there.", "disk_full")
    return Refused(500, "This server cannot read or write its data: its log says more.")
