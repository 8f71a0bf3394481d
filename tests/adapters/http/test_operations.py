"""What operators look at: health, readiness, metrics and the documentation."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.async_api import Request, async_playwright
from prometheus_client.parser import text_string_to_metric_families

from bot.ports import Check
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.stage import KEY, Server, serving


async def test_process_says_that_it_lives_even_when_nothing_works(
    server: Server, core: FakeCore
) -> None:
    core.checks = [Check("database", works=False, found="full")]
    response = await server.client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok")


async def test_it_is_ready_when_every_part_works(server: Server, core: FakeCore) -> None:
    core.checks = [Check("database", True, "answers"), Check("provider openai", True, "answers")]
    response = await server.client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "parts": [
            {"name": "database", "works": True, "found": "answers"},
            {"name": "provider openai", "works": True, "found": "answers"},
        ],
    }


async def test_part_that_does_not_work_is_named(server: Server, core: FakeCore) -> None:
    core.checks = [Check("database", True, "answers"), Check("provider openai", False, "silent")]
    response = await server.client.get("/readyz")
    assert response.status_code == 503
    assert not response.json()["ready"]
    assert [part["name"] for part in response.json()["parts"] if not part["works"]] == [
        "provider openai"
    ]


async def test_what_was_found_is_told_to_who_has_a_key() -> None:
    async with serving(environment={"TUNEBOT_API_KEYS": KEY}) as server:
        stranger = await server.client.get("/readyz")
        assert stranger.json()["parts"] == [{"name": "database", "works": True, "found": ""}]
        friend = await server.client.get("/readyz", headers={"x-api-key": KEY})
        assert friend.json()["parts"][0]["found"] == "answers"


async def test_metrics_are_what_prometheus_reads(server: Server) -> None:
    response = await server.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert "python_info" in names


async def test_documentation_asks_nobody_else_for_anything(server: Server) -> None:
    page = await server.client.get("/docs")
    script = await server.client.get("/docs/start.js")
    for text in (page.text, script.text):
        assert "//" not in text
    assert "docs/start.js" in page.text
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        response = await server.client.get(f"/{path}")
        assert response.status_code == 200, path


async def test_documentation_can_be_left_out() -> None:
    async with serving(docs=False) as server:
        for path in ("/docs", "/docs/start.js", "/openapi.json"):
            assert (await server.client.get(path)).status_code == 404


async def test_documentation_says_where_a_key_is_needed() -> None:
    async with serving(environment={"TUNEBOT_API_KEYS": KEY}) as server:
        headers = {"authorization": f"Bearer {KEY}"}
        document = (await server.client.get("/openapi.json", headers=headers)).json()
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.xdist_group("chromium")
async def test_documentation_is_readable_under_its_own_policy(server: Server) -> None:
    asked: list[str] = []
    wrong: list[str] = []

    def asking(request: Request) -> None:
        asked.append(request.url)

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.on("request", asking)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(f"{server.adapter.address}docs")
        await page.get_by_text("/readyz").wait_for()
        await browser.close()
    assert wrong == []
    elsewhere = [url for url in asked if not url.startswith((server.adapter.address, "data:"))]
    assert elsewhere == []
