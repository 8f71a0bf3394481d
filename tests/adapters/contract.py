"""What every adapter must do. A platform's test inherits AdapterContract and offers a `stage`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

import pytest

from bot.errors import BotError, StoreBusy
from bot.messages import Document, ReplyTo
from bot.ports import Adapter
from tests.adapters.fake_core import FakeCore

NASTY = {
    "empty": "",
    "blank": " \n\n ",
    "unicode": "你好 👩‍👩‍👧‍👦 e\u0301 \u202egnirts\u202c \ufeff \u2028 \x00 \ud800",
    "ansi": "\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b1A \x08\x08 &#27;[2J <http://a/%1B[2J>",
    "markup": "[bold]b[/bold] [/] {0} %s <b>b</b> <!here> @everyone &lt; &amp; \\",
    "soup": "# *a **b _c~ `d ~~\n```py\n> - 1. | x\n|-|\n[a](b \"c) ![](\n\n***\n<a href='",
    "open fence": "```\nnever closed",
    "deep": ">" * 500 + "- " * 500 + "[" * 500 + "*" * 500,
    "wide table": "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n|" + "b|" * 300,
}


class Stage(Protocol):
    """An adapter, and the eyes and hands of one person in front of it."""

    adapter: Adapter

    def reply(self) -> ReplyTo:
        """Where a reply to that person goes; a new key at each call."""

    async def seen(self) -> str:
        """Everything that stands before the person now, in order, without its formatting."""

    async def files(self) -> dict[str, bytes]:
        """The files that the person got, by name."""

    async def says(self, *texts: str) -> None:
        """The person sends messages, which `run` takes in. Each begins with "/". Called once."""

    async def listening(self) -> None:
        """Return when `run`, which has just been started, takes messages in."""


class AdapterContract:
    """Promises to the core and to the person, the same on every platform."""

    async def test_final_text_is_seen_whole(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        await sink.finish(0, "One two three.\n\nFour five six.", "")
        await sink.close()
        seen = await stage.seen()
        assert "One two three." in seen
        assert "Four five six." in seen

    async def test_finishing_again_with_the_handle_changes_nothing(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        handle = await sink.finish(0, "Only once", "")
        assert await sink.finish(0, "Only once", handle) == handle
        await sink.close()
        later = stage.adapter.sink(stage.reply())
        await later.finish(0, "Only once", handle)
        await later.close()
        assert (await stage.seen()).count("Only once") == 1

    async def test_only_the_final_text_stays_of_what_was_shown(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        handle = await sink.show(0, "Waiting for the model", "")
        for text in ("Hello", "Hello dear"):
            await sink.ready()
            handle = await sink.show(0, text, handle) or handle
        await sink.finish(0, "Hello dear world", handle)
        await sink.close()
        seen = await stage.seen()
        assert "Waiting" not in seen
        assert seen.count("Hello") == 1
        assert "Hello dear world" in seen

    async def test_parts_stand_in_order(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        for part, text in enumerate(("Alpha", "Beta", "Gamma")):
            await sink.ready()
            handle = await sink.show(part, text[:3], "")
            await sink.finish(part, text, handle)
        await sink.close()
        seen = await stage.seen()
        assert [word for word in seen.split() if word in {"Alpha", "Beta", "Gamma"}] == [
            "Alpha",
            "Beta",
            "Gamma",
        ]

    async def test_two_replies_at_once_keep_apart(self, stage: Stage) -> None:
        one, other = (stage.adapter.sink(stage.reply()) for _ in range(2))
        first, second = await one.show(0, "Left", ""), await other.show(0, "Right", "")
        await one.ready()
        await one.show(0, "Left answer", first)
        await other.finish(0, "Right answer", second)
        await one.finish(0, "Left answer ends", first)
        await one.close()
        await other.close()
        seen = await stage.seen()
        assert seen.count("Right answer") == 1
        assert seen.count("Left answer ends") == seen.count("Left") == 1

    @pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
    async def test_whatever_a_model_writes_is_taken(self, stage: Stage, text: str) -> None:
        sink = stage.adapter.sink(stage.reply())
        handle = await sink.show(0, text, "")
        await sink.finish(0, text, handle)
        await sink.finish(1, f"{text}\n\nAfterwards", "")
        await sink.close()
        seen = await stage.seen()
        assert "Afterwards" in seen
        assert "\x1b" not in seen

    async def test_longest_text_is_seen_to_its_last_word(self, stage: Stage) -> None:
        most = stage.adapter.limits.hard or 100_000
        text = "First " + "word " * (most // 5 - 3) + "Last"
        sink = stage.adapter.sink(stage.reply())
        await sink.finish(0, text, await sink.show(0, text[: most // 2], ""))
        await sink.close()
        seen = await stage.seen()
        assert seen.count("First") == seen.count("Last") == 1

    async def test_file_arrives_as_it_is(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        await sink.finish(0, "Here it is", "")
        await sink.attach(Document("loss.png", "image/png", b"\x89PNG\r\n\x1a\n"))
        await sink.close()
        assert await stage.files() == {"loss.png": b"\x89PNG\r\n\x1a\n"}

    async def test_sink_may_be_closed_twice_and_unused(self, stage: Stage) -> None:
        sink = stage.adapter.sink(stage.reply())
        await sink.close()
        await sink.close()

    async def test_message_reaches_the_core_and_its_answer_the_person(self, stage: Stage) -> None:
        core = FakeCore(stage.adapter)
        run = asyncio.create_task(stage.adapter.run(core))
        await stage.says("/hello")
        await core.heard("/hello")
        await core.idle(core.received[0].conversation)
        await ended(run)
        assert core.received[0].conversation.adapter == stage.adapter.name
        assert all(core.received[0].person.id.partition(":")), "as [access] writes it"
        assert "You said: /hello" in await stage.seen()

    async def test_full_disk_ends_nothing_and_loses_no_message_silently(self, stage: Stage) -> None:
        core = FakeCore(stage.adapter)
        core.failures = [StoreBusy("The database is busy.")]
        run = asyncio.create_task(stage.adapter.run(core))
        await stage.says("/first", "/second")
        await core.heard("/second")
        await core.idle(core.received[0].conversation)
        with suppress(BotError):  # an adapter that ends by itself may end with the sentence
            await ended(run)
        came_again = "/first" in [message.text for message in core.received]
        assert came_again or "The database is busy." in await stage.seen()

    async def test_run_can_be_cancelled_and_leaves_nothing_running(self, stage: Stage) -> None:
        before = asyncio.all_tasks()
        run = asyncio.create_task(stage.adapter.run(FakeCore(stage.adapter)))
        await stage.listening()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert asyncio.all_tasks() == before

    async def test_check_says_what_was_tried(self, stage: Stage) -> None:
        checks = await stage.adapter.check()
        assert checks
        assert all(check.what and check.found and check.works for check in checks)


async def ended(run: asyncio.Task[None]) -> None:
    """End `run`, which may have returned by itself; raise what it raised."""
    run.cancel()
    await asyncio.wait([run])
    if not run.cancelled():
        run.result()
