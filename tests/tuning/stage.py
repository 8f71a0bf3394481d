"""A bot whose models are trained by the fine-tuning server of the tests, in a time that a test
holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bot.config import Tuning
from bot.messages import Attachment, Price, Profile, Provider
from tests.clock import StoppedClock
from tests.fakes import Bot, Wall, configuration, running
from tests.tuning_server import TuningServer

LOOK = "GET fine_tuning/jobs/{id}"
ASLEEP = 2  # the chores of a bot that does nothing else
PRICES = {"davinci-002": Price(2.0, 2.0, 6.0), "gpt-4o-mini": Price(0.15, 0.6, 3.0)}


@asynccontextmanager
async def tuned(
    server: TuningServer,
    folder: Path,
    clock: StoppedClock,
    *,
    wall: Wall | None = None,
    **changes: Any,
) -> AsyncIterator[Bot]:
    """A bot on this server, from its start to its orderly end."""
    kind = changes.pop("kind", "openai")
    provider = Provider("tuner", kind=kind, base_url=server.base_url)
    values = {
        "providers": {"tuner": provider},
        "profiles": {"assistant": Profile("assistant", "tuner", "gpt-4o-mini")},
        "prices": PRICES,
        "tuning": Tuning(provider="tuner"),
        **changes,
    }
    config = configuration(folder, server.base_url, **values)
    async with running(config, clock=clock, wall=wall) as bot:
        yield bot


async def says(bot: Bot, text: str, **how: Any) -> str:
    """An operator writes; what the bot says first to it, when that is said."""
    return (await bot.hears(text, **{"person": "op", **how}))[-1]


async def presses(bot: Bot, label: str, **how: Any) -> str:
    """An operator presses the newest button of this label."""
    button = next(each for each in reversed(bot.adapter.buttons) if each.label == label)
    return await says(bot, button.says, **how)


async def starts(bot: Bot, tuning: TuningServer, folder: Path, **how: Any) -> None:
    """An operator sends the questions and answers, and starts a job on them."""
    known = len(tuning.jobs)
    said = await says(
        bot, "/finetune start davinci-002 --suffix support --yes", files=[faq(folder)], **how
    )
    assert "**support**" in said, said
    await tuning.until(lambda: len(tuning.jobs) > known)
    await watched(bot)


async def watched(bot: Bot, jobs: int = 1) -> None:
    """Return when all jobs that run were looked at, and wait for the next look."""
    await bot.clock.asleep(ASLEEP + jobs)


async def looks(bot: Bot, tuning: TuningServer, seconds: float, *, ends: bool = False) -> None:
    """So much time passes, and then the job is looked at."""
    seen = tuning.counts[LOOK]
    bot.clock.advance(seconds)
    await tuning.until(lambda: tuning.counts[LOOK] > seen)
    if not ends:
        await watched(bot)


async def sees(bot: Bot, holds: Callable[[str], bool], channel: str = "general") -> str:
    """The first message of the bot of which something holds, once there is one."""
    await bot.sees(lambda: any(map(holds, bot.says(channel))))
    return next(text for text in bot.says(channel) if holds(text))


async def shown(bot: Bot, holds: Callable[[str], bool], channel: str = "general") -> str:
    """A card of which something holds, once it is shown: time passes until then."""
    async with asyncio.timeout(60):
        while not (found := [text for text in bot.says(channel) if holds(text)]):
            bot.clock.advance(1)
            bot.wall.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(bot.wall.changed.wait(), 0.02)
    return found[0]


def faq(folder: Path, count: int = 20) -> Attachment:
    """Questions and answers as a person sends them."""
    rows = [f"how do I open door {n},you press button {n * 7}" for n in range(count)]
    path = folder / "faq.csv"
    path.write_text("\n".join(["Question,Answer", *rows]) + "\n")
    return Attachment("faq.csv", "text/csv", str(path), path.stat().st_size)


async def settled(bot: Bot) -> None:
    """Let everything happen that does not wait for the time."""
    for _ in range(50):
        await asyncio.sleep(0)
    await bot.idle()
