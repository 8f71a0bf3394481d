"""A server that is moved over HTTP, by a test of another process: see `Controlled`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from tests.tuning_server import objects
from tests.tuning_server.faults import fault_named
from tests.tuning_server.server import TuningServer
from tests.tuning_server.stories import Story
from tests.tuning_server.values import Json

JOB_VERBS = {
    *("queues", "runs", "step", "epoch", "checkpoint", "succeeds", "fails", "cancels"),
    *("pauses", "resumes", "tell"),
}
FILE_VERBS = {"read", "refuse"}
SETTINGS = {
    *("reading", "settling", "eligible", "knows_method", "keeps_metadata", "filters_metadata"),
    *("tells_more", "pauses", "healthy_errors", "base64_results", "jobs_a_day"),
}


class Controlled(TuningServer):
    """Its time goes by itself, and can be moved on.

    POST /control/VERB with JSON: `advance` {seconds}, `settings` {name: value}, `story` {fields of
    Story}, `fails` {call, times, kind, fields of the fault}, `limit` {seconds}, `deploy` {model},
    `webhook` {url}, `redeliver`, `job` {id, verb, arguments}, `file` {id, verb, arguments}. GET
    /control/state says what is there and what was called.
    """

    def __init__(self, **settings: Any) -> None:
        self._offset = 0.0
        super().__init__(now=lambda: time.time() + self._offset, **settings)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/control/state", self._state)
        router.add_post("/control/{verb}", self._controlled)

    async def _state(self, request: web.Request) -> web.Response:
        del request
        self.advance()
        jobs = [
            objects.legacy(job) if job.legacy else objects.modern(job) for job in self.jobs.values()
        ]
        return web.json_response(
            {
                "counts": self.counts,
                "jobs": jobs,
                "files": [file.json() for file in self.files.values()],
                "models": list(self.tuned),
                "violations": self.violations,
                "webhooks": self.webhooks.statuses,
            }
        )

    async def _controlled(self, request: web.Request) -> web.Response:
        given: Json = await request.json() if request.can_read_body else {}
        try:
            self.control(request.match_info["verb"], given)
        except (KeyError, TypeError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        self.advance()
        return web.json_response({})

    def control(self, verb: str, given: Json) -> None:
        """Do what is told. Raises KeyError or TypeError for what cannot be meant."""
        verbs: dict[str, Callable[..., None]] = {
            "advance": self._advance,
            "settings": self._settings,
            "story": self._story,
            "fails": self._fails,
            "limit": self.limit,
            "deploy": self.deploy,
            "webhook": self._webhook,
            "redeliver": self.webhooks.redeliver,
            "job": self._job,
            "file": self._file,
        }
        verbs[verb](**given)

    def _advance(self, seconds: float) -> None:
        self._offset += seconds

    def _settings(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, among(name, SETTINGS), value)

    def _story(self, **fields: Any) -> None:
        queue = tuple(fields.pop("queue", Story().queue))
        self.story = Story(**fields, queue=queue)

    def _fails(self, kind: str, call: str = "", times: int = 1, **fields: Any) -> None:
        self.fails(call, fault_named(kind, **fields), times=times)

    def _webhook(self, url: str) -> None:
        self.webhooks.url = url

    def _job(self, id: str, verb: str, arguments: Sequence[Any] = ()) -> None:  # noqa: A002  JSON's
        getattr(self.jobs[id], among(verb, JOB_VERBS))(*arguments)

    def _file(self, id: str, verb: str, arguments: Sequence[Any] = ()) -> None:  # noqa: A002  JSON's
        getattr(self.files[id], among(verb, FILE_VERBS))(*arguments)


def among(name: str, names: set[str]) -> str:
    """A name that may be said."""
    if name not in names:
        raise KeyError(name)
    return name
