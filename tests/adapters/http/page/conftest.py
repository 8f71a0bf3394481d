"""One browser for all tests that need one; a bot and a window of its own for each."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from adapters.http import Http
from tests.adapters.http.page.stage import Screen, running, showing
from tests.scripted_model import ScriptedModel

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def model() -> AsyncIterator[ScriptedModel]:
    async with ScriptedModel() as model:
        yield model


@pytest_asyncio.fixture(loop_scope="session")
async def http(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Http]:
    async with running(tmp_path, model) as http:
        yield http


@pytest_asyncio.fixture(loop_scope="session")
async def screen(browser: Browser, http: Http) -> AsyncIterator[Screen]:
    async with showing(browser, http.address) as screen:
        await screen.open()
        yield screen
        assert not screen.complaints
        assert all(each.startswith((http.address, "blob:")) for each in screen.requests)
