"""Which call does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.tuning_server import answers, files, fine_tuning, legacy, models
from tests.tuning_server.values import Answered, Call

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

Handler = Callable[["Service", Call], Answered]

ROUTES: dict[str, Handler] = {
    "POST files": files.create,
    "GET files": files.listed,
    "GET files/{id}": files.retrieve,
    "GET files/{id}/content": files.content,
    "DELETE files/{id}": files.delete,
    "POST fine_tuning/jobs": fine_tuning.create,
    "GET fine_tuning/jobs": fine_tuning.listed,
    "GET fine_tuning/jobs/{id}": fine_tuning.retrieve,
    "POST fine_tuning/jobs/{id}/cancel": fine_tuning.cancel,
    "POST fine_tuning/jobs/{id}/pause": fine_tuning.pause,
    "POST fine_tuning/jobs/{id}/resume": fine_tuning.resume,
    "GET fine_tuning/jobs/{id}/events": fine_tuning.events,
    "GET fine_tuning/jobs/{id}/checkpoints": fine_tuning.checkpoints,
    "POST fine-tunes": legacy.create,
    "GET fine-tunes": legacy.listed,
    "GET fine-tunes/{id}": legacy.retrieve,
    "POST fine-tunes/{id}/cancel": legacy.cancel,
    "GET fine-tunes/{id}/events": legacy.events,
    "GET models": models.listed,
    "GET models/{id}": models.retrieve,
    "DELETE models/{id}": models.delete,
    "POST chat/completions": answers.chat,
    "POST completions": answers.completion,
    "POST deployments/{id}/chat/completions": answers.chat,
    "POST deployments/{id}/completions": answers.completion,
}


def route_of(parts: list[str]) -> tuple[str, str]:
    """A path as its route and the id in it: the third part of a job's, the second of others."""
    at = 2 if parts[0] == "fine_tuning" else 1
    if parts[0] == "chat" or len(parts) <= at:
        return "/".join(parts), ""
    return "/".join([*parts[:at], "{id}", *parts[at + 1 :]]), parts[at]
