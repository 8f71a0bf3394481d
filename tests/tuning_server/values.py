"""What goes in and out of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Call:
    """A call that came. `route` is its path without ids: "fine_tuning/jobs/{id}/events"; `body`
    its JSON or form; a file of a form is `filename` and `content`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    filename: str = ""
    content: bytes = b""
    route: str = ""
    id: str = ""
    status: int = 0


class Refused(Exception):
    """An error in OpenAI's form."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        param: str | None = None,
        type: str = "invalid_request_error",  # noqa: A002  the field's name
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": type, "param": param, "code": code}}
        self.headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: JSON, or a content of another type."""

    value: Any = None
    status: int = 200
    content: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
