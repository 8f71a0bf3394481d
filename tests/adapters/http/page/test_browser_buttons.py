"""The buttons below what a command replied, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.adapters.http.page.stage import running, showing
from tests.scripted_model import ScriptedModel

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

OPERATED = {"access": {"users": ["page:*"], "operators": ["page:local"]}}


async def test_dataset_is_made_by_pressing_buttons(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    file = tmp_path / "faq.csv"
    rows = [f"how do I open door {n},press {n * 7}" for n in range(20)]
    file.write_text("\n".join(["prompt,completion", *rows, rows[0]]))
    async with (
        running(tmp_path, model, OPERATED) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.open()
        await screen.page.locator("#picker").set_input_files(file)
        await screen.hear("/finetune prepare")
        await expect(screen.texts.first).to_contain_text("21 prompts with completions, 20 of them")
        without = screen.answers.first.get_by_role("button", name="Not: Remove 1 duplicate row")
        await without.click()
        await expect(screen.ended.nth(1)).to_contain_text("left as it is")
        await expect(without).to_be_disabled()
        apply = screen.answers.nth(1).get_by_role("button", name="Apply these changes")
        await apply.focus()
        await screen.page.keyboard.press("Enter")
        await expect(screen.ended.nth(2)).to_contain_text("faq is ready: 21 prompts")
        await expect(screen.answers.nth(2).get_by_role("button")).to_have_count(0)
        await expect(screen.page.locator(".question").nth(1)).to_contain_text(
            "/finetune prepare 1 -"
        )
        assert not screen.complaints
