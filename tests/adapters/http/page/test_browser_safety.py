"""What a model writes, a lost connection and a missing key do to the page: nothing bad."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.adapters.contract import NASTY
from tests.adapters.http.page.stage import Screen, running, showing
from tests.adapters.http.page.test_markdown import HOSTILE
from tests.adapters.http.stage import KEY
from tests.clock import StoppedClock
from tests.scripted_model import Answer, ScriptedModel

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_what_a_model_writes_does_not_run_and_loads_nothing(
    screen: Screen, model: ScriptedModel
) -> None:
    ran: list[str] = []
    screen.page.on("dialog", lambda dialog: ran.append(dialog.message))
    model.script(Answer(chunks=["\n\n".join([*HOSTILE, *NASTY.values()]), "\n\nthe end"]))
    await screen.hear("be evil")
    await expect(screen.texts).to_contain_text("the end")
    links = screen.texts.locator("a")
    assert await links.count() > 5
    for link in await links.all():
        assert (await link.get_attribute("href") or "").startswith(("https://", "http://"))
    await screen.page.reload()
    await expect(screen.texts).to_contain_text("the end")
    assert not ran
    assert await screen.texts.locator("script, img, iframe, style, form, svg").count() == 0


async def test_policy_stops_what_would_slip_through(screen: Screen) -> None:
    inject = "html => { document.getElementById('flow').innerHTML = html }"
    with pytest.raises(Exception, match="TrustedHTML"):
        await screen.page.evaluate(inject, "<img src=x onerror=alert(1)>")
    assert screen.complaints
    screen.complaints.clear()


async def test_reload_in_the_middle_goes_on_with_the_same_answer(
    screen: Screen, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["One ", "two ", "three"], hold=going, hold_at=2))
    picked = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"abc"}
    await screen.page.locator("#picker").set_input_files(picked)  # type: ignore[arg-type]
    await screen.say("count")
    await expect(screen.texts).to_contain_text("One two")
    await expect(screen.page.locator(".question .files")).to_have_text("a.txt, 3 bytes")
    await screen.page.reload()
    await expect(screen.texts).to_contain_text("One two")
    await expect(screen.page.locator(".question .files")).to_have_text("a.txt, 3 bytes")
    going.set()
    await expect(screen.ended.locator(".body")).to_have_text("One two three")
    await expect(screen.page.locator(".question")).to_have_count(1)
    assert len(model.requests) == 1


async def test_answer_is_seen_in_another_tab(screen: Screen, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(text="For both.", hold=going))
    await screen.say("hello")
    await screen.page.wait_for_url("**/#/*")
    other = await screen.page.context.new_page()
    await other.goto(screen.page.url)
    await expect(other.locator(".growing")).to_be_visible()
    going.set()
    await expect(other.locator(".answer .body")).to_have_text("For both.")
    await expect(screen.ended.locator(".body")).to_have_text("For both.")
    assert len(model.requests) == 1


async def test_tab_that_is_looked_at_again_has_what_another_one_said(screen: Screen) -> None:
    await screen.hear("one")
    other = await screen.page.context.new_page()
    await other.goto(screen.page.url)
    await expect(other.locator(".answer .body")).to_have_text("You said: one")
    await screen.hear("two", answers=2)
    await other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(other.locator(".answer .body")).to_have_text(["You said: one", "You said: two"])


async def test_too_many_messages_are_a_sentence_with_another_try(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    changes = {"access": {"users": ["*"], "messages_per_minute": 1}}
    async with (
        running(tmp_path, model, changes, clock=StoppedClock()) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.open()
        await screen.hear("one")
        await screen.hear("two", answers=2)
        await expect(screen.page.locator(".failed .state")).to_contain_text("too fast")
        await screen.page.get_by_role("button", name="Retry").click()
        await expect(screen.ended).to_have_count(2)
        assert len(model.requests) == 1


async def test_restart_in_the_middle_is_told_and_gone_through(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    never = asyncio.Event()
    model.script(Answer(chunks=["Half", " of"], hold=never, hold_at=1), Answer(text="Whole."))
    async with AsyncExitStack() as first:
        http = await first.enter_async_context(running(tmp_path, model, {"shutdown_seconds": 0.0}))
        async with showing(browser, http.address) as screen:
            await screen.open()
            await screen.say("hello")
            await expect(screen.texts).to_have_text("Half")
            await first.aclose()
            await expect(screen.answers.locator(".state")).to_contain_text("Trying again")
            async with running(tmp_path, model, port=urlsplit(http.address).port):
                await expect(screen.ended.locator(".body")).to_have_text("Whole.")
    assert len(model.requests) == 2


@pytest.mark.parametrize("kept", [False, True])
async def test_key_is_asked_for_until_it_is_right_and_kept_as_chosen(
    browser: Browser, model: ScriptedModel, tmp_path: Path, kept: bool
) -> None:
    environment = {"TUNEBOT_API_KEYS": KEY}
    async with (
        running(tmp_path, model, None, environment) as http,
        showing(browser, http.address) as screen,
    ):
        page = screen.page
        await page.goto(http.address)
        field = page.get_by_label("Key", exact=True)
        await expect(field).to_be_focused()
        await field.fill("a wrong one")
        await field.press("Enter")
        await expect(page.get_by_role("dialog")).to_contain_text("was not accepted")
        await field.fill(KEY)
        await page.get_by_label("Keep it on this device").set_checked(kept)
        await page.get_by_role("button", name="Use this key").click()
        await screen.hear("hello")
        await expect(screen.texts).to_have_text("You said: hello")
        await expect(page.locator("#conversations a")).to_have_count(1)
        other = await page.context.new_page()
        await other.goto(http.address)
        await expect(other.locator("#conversations a")).to_have_count(1 if kept else 0)
        await expect(other.get_by_role("dialog")).to_have_count(0 if kept else 1)
        await page.get_by_role("button", name="Forget the key").click()
        await expect(field).to_be_focused()
