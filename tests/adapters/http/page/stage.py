"""The page in a real browser, before a real bot; only the model behind that is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request

from adapters.http import Http, Settings, create
from bot.app import App
from bot.ports import Clock
from tests.fakes import configuration
from tests.scripted_model import ScriptedModel

PHONE = {"width": 360, "height": 700}
DESKTOP = {"width": 1280, "height": 800}


@dataclass
class Screen:
    """A page in the browser. `requests` and `complaints` have all that it asked for and disliked:
    a broken policy, an error of a script.
    """

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note from now on."""
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    @property
    def field(self) -> Locator:
        """Where the person writes."""
        return self.page.get_by_role("textbox", name="Message")

    @property
    def answers(self) -> Locator:
        """All answers, also those that grow."""
        return self.page.locator(".answer")

    @property
    def texts(self) -> Locator:
        """What the answers say."""
        return self.page.locator(".answer .body")

    @property
    def ended(self) -> Locator:
        """The answers that grow no more."""
        return self.page.locator(".answer:not(.growing)")

    async def open(self, path: str = "") -> None:
        """Go there, and wait until one can write."""
        await self.page.goto(self.address + path)
        await self.page.locator("#greeting:not(:empty)").wait_for(state="attached")

    async def say(self, text: str) -> None:
        """Write something and send it."""
        await self.field.fill(text)
        await self.field.press("Enter")

    async def hear(self, text: str, answers: int = 1) -> None:
        """Say something and wait for the end of the answer, the so many-th on the page."""
        await self.say(text)
        await self.ended.nth(answers - 1).wait_for()


@asynccontextmanager
async def running(
    folder: Path,
    model: ScriptedModel,
    changes: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[Http]:
    """A bot with a page, from its start to its orderly end. `changes` are of its configuration,
    `settings` of its adapter.
    """
    adapter = create("http", Settings(**{"port": 0, **settings}), environment or {})
    more = {"data_folder": str(folder), **(changes or {})}
    config = configuration(folder, model.base_url, **more)
    app = App(config, [adapter], clock=clock, environment={})
    run = asyncio.create_task(app.run(), name="bot")
    listening = asyncio.create_task(adapter.listening.wait(), name="listening")
    await asyncio.wait([run, listening], return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if run.done():
        run.result()
    try:
        yield adapter
    finally:
        app.stop()
        async with asyncio.timeout(20):
            await run


@asynccontextmanager
async def showing(browser: Browser, address: str, **options: Any) -> AsyncIterator[Screen]:
    """A fresh window of a browser, in which nothing is open yet."""
    context = await browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(10_000)
    screen = Screen(await context.new_page(), address)
    screen.watch()
    try:
        yield screen
    finally:
        await context.close()
