"""What a person does on the page, in a real browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from bot.messages import Profile
from tests.adapters.http.page.stage import Screen, running, showing
from tests.scripted_model import Answer, Refusal, ScriptedModel

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(60))


async def test_answer_grows_and_is_formatted(screen: Screen, model: ScriptedModel) -> None:
    going = asyncio.Event()
    chunks = ["Some **bold", "** words.\n\n```python\nfor i in", " range(3):\n    pass\n```\n"]
    model.script(Answer(chunks=chunks, hold=going, hold_at=2))
    await screen.say("show me")
    await expect(screen.answers.locator("strong")).to_have_text("bold")
    await expect(screen.answers.locator("pre .k").first).to_have_text("for")
    await expect(screen.page.locator("#status")).not_to_contain_text("bold")
    going.set()
    await expect(screen.ended.locator("pre")).to_have_text("for i in range(3):\n    pass\n")
    await expect(screen.page.locator("#status")).to_contain_text("Some **bold** words.")


async def test_stopped_answer_stays_and_goes_on_where_it_stopped(
    screen: Screen, model: ScriptedModel
) -> None:
    model.script(
        Answer(chunks=["One ", "two ", "never"], hold=asyncio.Event(), hold_at=2),
        Answer(text="three."),
    )
    await screen.say("count")
    await expect(screen.answers).to_contain_text("One two")
    await screen.page.keyboard.press("Escape")
    await expect(screen.ended.locator(".state")).to_contain_text("Stopped.")
    await screen.page.get_by_role("button", name="Continue").click()
    await expect(screen.ended.locator(".body")).to_have_text("One two three.")
    await screen.page.reload()
    await expect(screen.ended.locator(".body")).to_have_text("One two three.")


async def test_another_answer_stands_in_place_of_the_first(
    screen: Screen, model: ScriptedModel
) -> None:
    model.script(Answer(text="First."), Answer(text="Second."))
    await screen.hear("hello")
    await screen.page.get_by_role("button", name="Answer again").click()
    await expect(screen.ended.locator(".body")).to_have_text("Second.")
    await screen.page.reload()
    await expect(screen.ended.locator(".body")).to_have_text("Second.")
    await expect(screen.page.locator(".question")).to_have_count(1)


async def test_failed_answer_is_a_sentence_and_can_be_tried_again(
    screen: Screen, model: ScriptedModel
) -> None:
    model.script(Refusal(400, "The model is not for you."), Answer(text="Now it works."))
    await screen.hear("hello")
    await expect(screen.page.locator(".failed")).to_contain_text("The model is not for you.")
    await screen.page.get_by_role("button", name="Retry").click()
    await expect(screen.ended.locator(".body")).to_have_text("Now it works.")


async def test_opinion_is_kept_and_can_be_taken_back(screen: Screen) -> None:
    await screen.hear("hello")
    good = screen.page.get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await screen.page.reload()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "false")


async def test_conversations_are_kept_apart_over_reload_and_back(screen: Screen) -> None:
    page = screen.page
    await screen.hear("about apples")
    await page.get_by_role("button", name="New conversation").click()
    await expect(screen.answers).to_have_count(0)
    await screen.hear("about pears")
    entries = page.locator("#conversations a")
    await expect(entries).to_have_text(["about pears", "about apples"])
    await page.reload()
    await expect(screen.texts).to_have_text("You said: about pears")
    await entries.nth(1).click()
    await expect(screen.texts).to_have_text("You said: about apples")
    await expect(page).to_have_title("about apples · tunebot")
    await page.go_back()
    await expect(screen.texts).to_have_text("You said: about pears")


async def test_what_is_said_while_the_history_comes_stands_below_it(screen: Screen) -> None:
    await screen.hear("one")
    going = asyncio.Event()

    async def late(route: Route) -> None:
        await going.wait()
        await route.continue_()

    await screen.page.route("**/conversations/*?before=0", late)
    await screen.page.reload()
    await screen.say("two")
    await expect(screen.field).to_have_value("")
    going.set()
    await expect(screen.texts).to_have_text(["You said: one", "You said: two"])


async def test_list_that_comes_late_does_not_hide_what_came_since(screen: Screen) -> None:
    going = asyncio.Event()
    late: list[asyncio.Task[None]] = []

    async def hold(route: Route) -> None:
        response = await route.fetch()
        await going.wait()
        await route.fulfill(response=response)

    async def first_late(route: Route) -> None:
        if late:
            await route.continue_()
        else:
            late.append(asyncio.create_task(hold(route)))

    await screen.page.route("**/api/page/conversations", first_late)
    await screen.page.reload()
    await screen.hear("hello")
    entries = screen.page.locator("#conversations a")
    await expect(entries).to_have_text("hello")
    going.set()
    async with screen.page.expect_response("**/api/page/conversations"):
        await late[0]
    await expect(entries).to_have_text("hello")


async def test_deleted_conversation_is_gone_once_it_is_confirmed(screen: Screen) -> None:
    page = screen.page
    await screen.hear("a secret")
    delete = page.get_by_role("button", name="Delete “a secret”")
    await delete.click()
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.locator("#conversations a")).to_have_count(1)
    await delete.click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator("#conversations a")).to_have_count(0)
    await expect(screen.answers).to_have_count(0)


async def test_command_is_completed_by_keyboard(screen: Screen) -> None:
    options = screen.page.get_by_role("listbox", name="Commands").get_by_role("option")
    await screen.field.press_sequentially("/mo")
    await expect(options).to_have_count(2)
    await expect(screen.page.locator("#status")).to_contain_text("/models, /model")
    await screen.field.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    chosen = await options.nth(1).get_attribute("id")
    assert await screen.field.get_attribute("aria-activedescendant") == chosen
    await screen.field.press("Enter")
    await expect(screen.field).to_have_value("/model ")
    await screen.field.press("Enter")
    await expect(screen.page.locator(".note")).to_contain_text("assistant answers here")


async def test_command_that_is_typed_whole_is_sent(screen: Screen) -> None:
    await screen.field.press_sequentially("/model")
    await expect(screen.page.get_by_role("listbox", name="Commands")).to_be_visible()
    await screen.field.press("Enter")
    await expect(screen.page.locator(".note")).to_contain_text("assistant answers here")


async def test_chosen_model_is_shown_where_it_was_chosen(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    profiles = {name: Profile(name, "scripted", "gpt-4o") for name in ("assistant", "poet")}
    async with (
        running(tmp_path, model, {"profiles": profiles}) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.open()
        await screen.hear("hi")
        chosen = screen.page.get_by_label("Model")
        await expect(chosen).to_have_value("assistant")
        await chosen.select_option("poet")
        await expect(screen.page.locator(".note")).to_contain_text("poet answers here")
        await screen.page.evaluate("localStorage.clear()")
        await screen.page.reload()
        await expect(chosen).to_have_value("poet")
        await screen.page.get_by_role("button", name="New conversation").click()
        await expect(chosen).to_have_value("assistant")


async def test_files_go_up_and_come_down(screen: Screen, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("remember the milk")
    await screen.page.locator("#picker").set_input_files(file)
    await expect(screen.page.locator("#files")).to_contain_text("notes.txt, 17 bytes")
    await screen.hear("read this")
    await expect(screen.page.locator(".question .files")).to_have_text("notes.txt, 17 bytes")
    await screen.hear("/export", answers=2)
    async with screen.page.expect_download() as coming:
        await screen.page.get_by_role("button", name="Save conversation.jsonl").click()
    download = await coming.value
    assert download.suggested_filename == "conversation.jsonl"
    assert '"read this"' in Path(await download.path()).read_text()


async def test_file_may_be_dropped_and_pasted(screen: Screen) -> None:
    holding = """type => {
        const holds = new DataTransfer();
        holds.items.add(new File(["abc"], `${type}.txt`, {type: "text/plain"}));
        const init = {bubbles: true, cancelable: true};
        document.getElementById("say").dispatchEvent(type === "paste"
            ? new ClipboardEvent(type, {...init, clipboardData: holds})
            : new DragEvent(type, {...init, dataTransfer: holds}));
    }"""
    await screen.page.evaluate(holding, "dragover")
    await expect(screen.page.locator("#drop")).to_be_visible()
    await screen.page.evaluate(holding, "drop")
    await screen.page.evaluate(holding, "paste")
    await expect(screen.page.locator("#drop")).to_be_hidden()
    await expect(screen.page.locator("#files li")).to_have_text(
        ["drop.txt, 3 bytes", "paste.txt, 3 bytes"]
    )


async def test_answer_and_its_code_are_copied(screen: Screen, model: ScriptedModel) -> None:
    await screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    model.script(Answer(text="Some **code**:\n\n```python\nx = 1\n```"))
    await screen.hear("show me")
    copied = "navigator.clipboard.readText()"
    await screen.page.get_by_role("button", name="Copy", exact=True).click()
    await expect(screen.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await screen.page.evaluate(copied) == "x = 1\n"
    await screen.page.get_by_role("button", name="Copy the answer").click()
    await expect(screen.page.locator(".tools path").first).to_have_attribute(
        "d", "M5 12.5l5 5L19.5 7"
    )
    assert await screen.page.evaluate(copied) == "Some **code**:\n\n```python\nx = 1\n```"


async def test_nothing_jumps_while_an_answer_grows(screen: Screen, model: ScriptedModel) -> None:
    await screen.page.evaluate("""() => {
        window.shift = 0;
        new PerformanceObserver(list => list.getEntries().forEach(each => shift += each.value))
            .observe({type: "layout-shift", buffered: false});
    }""")
    going = asyncio.Event()
    model.script(
        Answer(
            chunks=[*"Three words here.", "\n\n- a\n- b", "\n\n|a|\n|-|\n|1|"],
            hold=going,
            hold_at=18,
        )
    )
    await screen.say("grow")
    await expect(screen.texts).to_contain_text("Three words here.")
    going.set()
    await screen.ended.wait_for()
    await expect(screen.page.locator("#conversations a")).to_have_count(1)
    assert await screen.page.evaluate("shift") < 0.02


async def test_file_that_is_too_large_is_told_before_it_is_sent(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    async with (
        running(tmp_path, model, max_upload=2000) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.open()
        (tmp_path / "big.bin").write_bytes(b"x" * 2001)
        await screen.page.locator("#picker").set_input_files(tmp_path / "big.bin")
        await expect(screen.page.locator("#files .failed")).to_contain_text("larger than 2 kB")
        await screen.say("read this")
        await expect(screen.page.locator("#toast")).to_contain_text("cannot be sent")
        await expect(screen.field).to_have_value("read this")
        assert not [each for each in screen.requests if "api/page/files" in each]
        await screen.page.get_by_role("button", name="Remove big.bin").click()
        await screen.hear("read nothing")


async def test_reader_is_followed_to_the_end_but_never_pulled_from_what_he_reads(
    screen: Screen, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=[LONG, f"\n\n{LONG}"], hold=going, hold_at=1))
    await screen.say("talk")
    await expect(screen.page.get_by_text("Paragraph 59")).to_be_in_viewport()
    await screen.page.mouse.move(700, 300)
    await screen.page.mouse.wheel(0, -900)
    newest = screen.page.get_by_role("button", name="Jump to newest")
    await newest.wait_for()
    top = "document.getElementById('scroller').scrollTop"
    before = await screen.page.evaluate(top)
    going.set()
    await screen.ended.wait_for()
    assert await screen.page.evaluate(top) == before
    await newest.click()
    await expect(screen.page.get_by_text("Paragraph 59").last).to_be_in_viewport()
    await expect(newest).to_be_hidden()
    await screen.page.mouse.wheel(0, -900)
    await newest.wait_for()
    await screen.hear("go on", answers=2)
    await expect(screen.texts.last).to_be_in_viewport()
    await expect(newest).to_be_hidden()


async def test_earlier_messages_come_above_what_is_read(screen: Screen) -> None:
    for number in range(1, 23):
        await screen.hear(f"question {number}", answers=number)
    await screen.page.reload()
    await expect(screen.ended).to_have_count(20)
    await screen.page.get_by_role("button", name="Earlier messages").click()
    await expect(screen.ended).to_have_count(22)
    await expect(screen.page.locator(".question").first).to_have_text("Youquestion 1")
    await expect(screen.page.get_by_role("button", name="Earlier messages")).to_be_hidden()


async def test_page_is_used_by_keyboard_alone(screen: Screen) -> None:
    page, keyboard = screen.page, screen.page.keyboard
    await page.locator(".skip").focus()
    await keyboard.press("Enter")
    await expect(screen.field).to_be_focused()
    await keyboard.type("first line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("second line")
    await keyboard.press("Enter")
    await expect(screen.ended).to_have_count(1)
    await expect(screen.field).to_be_focused()
    await keyboard.press("ArrowUp")
    await expect(screen.field).to_have_value("first line\nsecond line")
    await keyboard.press("ArrowDown")
    await expect(screen.field).to_have_value("")
    await page.get_by_role("button", name="Good answer").focus()
    await keyboard.press("Space")
    pressed = page.get_by_role("button", name="Good answer", pressed=True)
    await expect(pressed).to_be_focused()


async def test_model_is_chosen_for_a_conversation(
    browser: Browser, model: ScriptedModel, tmp_path: Path
) -> None:
    profiles = {
        name: Profile(name, "scripted", name) for name in ("assistant", "gpt-4o", "gpt-4o-mini")
    }
    async with (
        running(tmp_path, model, {"profiles": profiles}) as http,
        showing(browser, http.address) as screen,
    ):
        await screen.open()
        await screen.page.get_by_label("Model").select_option("gpt-4o")
        await expect(screen.page.locator(".note")).to_contain_text("From now on gpt-4o answers")
        await screen.hear("hello", answers=2)
        assert model.bodies[-1]["model"] == "gpt-4o"
        await screen.page.reload()
        await expect(screen.texts).to_have_text("You said: hello")
        await expect(screen.page.get_by_label("Model")).to_have_value("gpt-4o")
