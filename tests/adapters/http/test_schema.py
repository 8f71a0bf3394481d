"""Our OpenAPI document is true: schemathesis asks everything that it describes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.adapters.http.stage import serving


@pytest.fixture(scope="module")
def document() -> Iterator[OpenApiSchema]:
    """The document of a server that runs in a thread of its own."""
    addresses: list[str] = []
    listening = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with serving(requests_per_minute=10**6) as server:
            ended = asyncio.Event()
            stop.append((asyncio.get_running_loop(), ended))
            addresses.append(server.adapter.address)
            listening.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert listening.wait(20)
    yield schemathesis.openapi.from_url(f"{addresses[0]}openapi.json")
    ((loop, ended),) = stop
    loop.call_soon_threadsafe(ended.set)
    thread.join()


asks = settings(
    max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_every_route_does_what_the_document_says(
    document: OpenApiSchema, mode: schemathesis.GenerationMode
) -> None:
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @asks
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(timeout=10)

        with suppress(Unsatisfiable):  # nothing can be wrong about a route that takes nothing
            ask()
