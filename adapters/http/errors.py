"""What went wrong, as JSON: {"error": {"message": one sentence, "field": where, if anywhere}}."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bot.errors import (
    AccessDenied,
    BotError,
    CommandError,
    ContextTooLong,
    ModelRefused,
    TooFast,
)

# The first class that an error belongs to says its status; anything else may work later, a 503.
STATUSES: Mapping[type[BotError], int] = {
    AccessDenied: 403,
    TooFast: 429,
    CommandError: 422,
    ContextTooLong: 422,
    ModelRefused: 502,
}

log = structlog.get_logger()


class Problem(BaseModel):
    """What is wrong, in one sentence; `field` is the place in the request, if it is one place."""

    message: str
    field: str | None = None


class Refused(BaseModel):
    """Every answer that is not what was asked for."""

    error: Problem


class Refusal(HTTPException):
    """A request that is answered with a sentence and nothing else."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, field: str = ""
    ) -> None:
        super().__init__(status, message, headers)
        self.field = field


def refused(
    status: int, message: str, field: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response for an error."""
    error = {"message": message, "field": field} if field else {"message": message}
    return JSONResponse({"error": error}, status, headers)


def status_of(error: BotError) -> int:
    """The HTTP status that says what a sentence says."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 503)


def bug(error: Exception, where: str) -> JSONResponse:
    """Log a bug, and apologise for it with the log's reference."""
    reference = secrets.token_hex(4)
    log.error("bug", reference=reference, path=where, exc_info=error)
    return refused(500, f"Something went wrong here. The log has it as {reference}.")


def handle_errors(app: FastAPI) -> None:
    """Answer every error of a route as this module says."""

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        field = error.field if isinstance(error, Refusal) else ""
        return refused(error.status_code, sentence(error), field, error.headers)

    @app.exception_handler(BotError)
    async def said(_: Request, error: BotError) -> JSONResponse:
        return refused(status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return refused(*unusable(error.errors()[0]))


def sentence(error: HTTPException) -> str:
    """The detail of an error, which the framework's own errors give as a phrase."""
    if isinstance(error, Refusal) or error.detail != HTTPStatus(error.status_code).phrase:
        return error.detail
    return f"{error.detail}."


def unusable(problem: Mapping[str, Any]) -> tuple[int, str, str]:
    """Status, sentence and field of what a request holds and cannot be used."""
    if problem["type"] == "json_invalid":
        reason = problem.get("ctx", {}).get("error", "it ends too early")
        return 400, f"The body is not JSON: {reason}.", "body"
    where, *path = problem["loc"]
    field = ".".join(str(step) for step in path) or str(where)
    return 422, f"{field}: {problem['msg']}.", field
