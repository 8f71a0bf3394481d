"""A model is trained from Telegram and from Slack: from the file to an answer of the new model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import App
from bot.config import Tuning
from bot.messages import Profile, Provider
from bot.ports import Adapter
from tests.adapters.slack.conftest import adapter_on as slack_adapter
from tests.adapters.telegram.conftest import adapter_on as telegram_adapter
from tests.fakes import configuration
from tests.slack_server.slack import Slack
from tests.slack_server.values import Message
from tests.telegram_server import File, TelegramServer
from tests.tuning.stage import PRICES
from tests.tuning_server import Story, TuningServer

QUICK = Story(steps=12, epochs=3, queue=(), reading=0.05, waiting=0.0, pace=0.1)
FAQ = "\n".join(
    ["Question,Answer", *(f"how do I open door {n},you press button {n * 7}" for n in range(20))]
).encode()
START = "/finetune start davinci-002 --suffix support"


@asynccontextmanager
async def trains(adapter: Adapter, tuning: TuningServer, folder: Path) -> AsyncIterator[None]:
    """A bot on a platform, with a service that trains within seconds."""
    config = configuration(
        folder,
        tuning.base_url,
        providers={"tuner": Provider("tuner", base_url=tuning.base_url)},
        profiles={"assistant": Profile("assistant", "tuner", "gpt-4o-mini")},
        access={"users": ["*"], "operators": ["*"], "messages_per_minute": 0},
        prices=PRICES,
        tuning=Tuning(provider="tuner", poll_seconds=0.2),
    )
    app = App(config, [adapter], environment={})
    run = asyncio.create_task(app.run(), name="bot")
    try:
        yield
    finally:
        app.stop()
        async with asyncio.timeout(30):
            await run


async def test_operator_trains_a_model_in_telegram(tmp_path: Path) -> None:
    async with (
        TuningServer(key="", story=QUICK) as tuning,
        TelegramServer() as telegram,
        trains(telegram_adapter(telegram, chat_rate=0, rate=0), tuning, tmp_path),
    ):
        ann = telegram.private(7)
        await ann.sends(File("document", "faq.csv", "text/csv", FAQ), START)
        await ann.sees(lambda seen: any("Train davinci-002 on faq" in each.text for each in seen))
        await ann.presses("Start")
        await ann.sees(lambda seen: any("step " in each.text for each in seen))
        await ann.sees(lambda seen: any("support is trained" in each.text for each in seen))
        await ann.sees(lambda seen: "loss.png" in [each.file.name for each in seen if each.file])
        cards = [text for text in ann.answers if "Tokens trained" in text]
        assert len(cards) == 1, "edited in place"
        await ann.presses("Use here")
        await ann.sees(lambda seen: any("answers in this channel" in each.text for each in seen))
        await ann.writes("open door 3")
        await ann.sees(lambda seen: any(each.text.strip() == "21" for each in seen))


async def test_team_member_trains_a_model_in_slack(tmp_path: Path) -> None:
    async with (
        TuningServer(key="", story=QUICK) as tuning,
        Slack(limits=None) as slack,
        trains(slack_adapter(slack), tuning, tmp_path),
    ):
        workspace, ann = slack.workspace, slack.person("ann")
        general = workspace.channel("general")

        def seen(text: str) -> list[Message]:
            return [
                each
                for each in workspace.messages(general)
                if each.user == workspace.bot.id and text in each.seen
            ]

        async def sees(text: str) -> Message:
            await workspace.until(lambda: seen(text), 60)
            return seen(text)[-1]

        await connected(slack)
        asked = ann.says(general, f"@tunebot {START}", files=[ann.file("faq.csv", FAQ, "text/csv")])
        ann.press(await sees("Train "), "Start")
        await sees("step ")
        end = await sees("is trained")
        card = await sees("Tokens trained")
        assert len(seen("Tokens trained")) == 1, "edited in place"
        assert end.thread == card.thread == asked.ts
        ann.press(end, "Use here")
        await sees("answers in this channel")
        ann.says(general, "@tunebot open door 3")
        await sees("21")


async def connected(slack: Slack) -> None:
    """Return when the bot listens."""
    await slack.workspace.until(lambda: slack.delivery.sockets.live)
