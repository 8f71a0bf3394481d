"""The page is for everybody: whatever their eyes, their colours, their screen."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from adapters.http import Http
from tests.adapters.http.page.stage import DESKTOP, PHONE, Screen, running, showing
from tests.adapters.http.stage import KEY
from tests.scripted_model import Answer, Refusal, ScriptedModel

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()

RICH = (
    """## A heading

Words, **strong** and `code`, and [a link](https://example.org).

- one
- [x] two

| left | right |
|:-----|------:|
| a wide cell that does not break anywhere | 1 |

```python
@decorator
class Name(Base):  # a comment
    value: int = 1 + 0x2f
    def method(self) -> str: return f"text {self.value}" or None
```

```diff
- away
+ new
```

> said

"""
    + "averyveryverylongwordwithoutanyend" * 20
)


async def violations(page: Page) -> list[str]:
    """What axe-core dislikes, by its names."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_everybody_can_use_it(
    browser: Browser, http: Http, model: ScriptedModel, scheme: str, viewport: dict[str, int]
) -> None:
    reduced = {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    async with showing(browser, http.address, **reduced) as screen:
        await screen.open()
        assert await violations(screen.page) == []
        going = asyncio.Event()
        model.script(
            Answer(text=RICH, finish="length"),
            Refusal(400),
            Answer(chunks=["Wait"], hold=going, hold_at=1),
        )
        await screen.hear("everything")
        assert await violations(screen.page) == []
        await screen.hear("fail", answers=2)
        await screen.hear("/usage", answers=3)
        await screen.say("more")
        await expect(screen.texts.last).to_have_text("Wait")
        await screen.field.fill("/")
        await screen.page.locator("#commands").wait_for()
        assert await violations(screen.page) == []
        going.set()


async def test_everybody_can_use_its_dialogs(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    environment = {"TUNEBOT_API_KEYS": KEY}
    async with (
        running(tmp_path, model, None, environment) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.page.goto(http.address)
        await screen.page.get_by_role("dialog").wait_for()
        assert await violations(screen.page) == []
        await screen.page.get_by_label("Key", exact=True).fill(KEY)
        await screen.page.keyboard.press("Enter")
        await screen.hear("hello")
        await screen.page.get_by_role("button", name="Delete “hello”").click()
        await screen.page.get_by_role("dialog").wait_for()
        assert await violations(screen.page) == []


@pytest.mark.parametrize("width", [320, 360, 768, 2560])
async def test_nothing_is_wider_than_the_screen(
    browser: Browser, http: Http, model: ScriptedModel, width: int
) -> None:
    async with showing(browser, http.address, viewport={"width": width, "height": 700}) as screen:
        await screen.open()
        model.reply(RICH)
        await screen.hear("averyveryverylongquestionwithoutanyend" * 10)
        await screen.field.fill("/")
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert await screen.page.evaluate(wide) <= 0
        scroller = "(e => e.scrollWidth - e.clientWidth)(document.getElementById('scroller'))"
        assert await screen.page.evaluate(scroller) <= 0


async def test_list_slides_in_on_a_phone_and_goes_by_escape(browser: Browser, http: Http) -> None:
    async with showing(browser, http.address, viewport=PHONE, has_touch=True) as screen:
        page = screen.page
        await screen.open()
        await screen.hear("hello")
        entry = page.get_by_role("link", name="hello")
        await expect(entry).to_be_hidden()
        menu = page.get_by_role("button", name="Conversations", exact=True)
        await menu.click()
        await expect(entry).to_be_visible()
        await expect(menu).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("Escape")
        await expect(entry).to_be_hidden()
        await expect(menu).to_be_focused()


async def test_colours_are_the_systems_unless_chosen(screen: Screen) -> None:
    page = screen.page
    light, dark = "rgb(253, 252, 250)", "rgb(23, 24, 22)"
    await expect(page.locator("html")).to_have_css("background-color", light)
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_css("background-color", dark)
    await page.get_by_label("Colours").select_option("light")
    await expect(page.locator("html")).to_have_css("background-color", light)
    await page.reload()
    await expect(page.locator("html")).to_have_css("background-color", light)
