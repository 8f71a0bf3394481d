"""Running a command of a shell: in this process, or by another one that has the database."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from bot.app import App
from bot.config import Config
from bot.config.local import data_folder
from bot.errors import StoreTaken
from bot.local.engine import is_trained
from bot.local.jobs.folder import Folder
from bot.shell.dialogue import Dialogue
from bot.shell.elsewhere import Elsewhere
from bot.shell.following import look
from bot.shell.here import Here
from bot.shell.screen import Screen
from bot.shell.words import typed
from bot.store.jobs import Stage

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def finetune(config: Config, words: Sequence[str], *, yes: bool, detach: bool) -> int:
    """Carry out `/finetune WORDS`; returns the exit code. Raises BotError."""
    screen = Screen()
    command = typed(words, yes=yes)
    dialogue = Dialogue(command, config.database, screen, yes=yes, detach=detach)
    try:
        return asyncio.run(in_this_process(config, dialogue, screen, detach=detach))
    except StoreTaken:
        return asyncio.run(in_another(config, dialogue, screen))


async def in_this_process(
    config: Config, dialogue: Dialogue, screen: Screen, *, detach: bool
) -> int:
    """Run a tunebot for it. Raises StoreTaken where another one has the database."""
    here = Here(screen, dialogue)
    app = App(config, [here])
    interrupted = on_signals(app.stop)
    await app.run()
    if interrupted:
        return gone(config, dialogue, screen, interrupted[0])
    if detach and (waiting := waits(config, dialogue.followed)):
        screen.note(waiting)
    return here.exit_code


async def in_another(config: Config, dialogue: Dialogue, screen: Screen) -> int:
    """Have another tunebot do it, the one that has the database."""
    line = Elsewhere(config, os.environ)
    talk = asyncio.create_task(dialogue(line), name="dialogue")
    interrupted = on_signals(talk.cancel)
    await asyncio.wait([talk])
    if talk.cancelled():
        return gone(config, dialogue, screen, interrupted[0])
    return talk.result()


def on_signals(stop: Callable[[], object]) -> list[int]:
    """Stop at Ctrl-C and SIGTERM; the list has those that came."""
    came: list[int] = []

    def stopped(number: int) -> None:
        came.append(number)
        stop()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopped, number)
    return came


def gone(config: Config, dialogue: Dialogue, screen: Screen, number: int) -> int:
    """Tell a person who does not wait any longer how to go on; returns the exit code."""
    if waiting := waits(config, dialogue.followed):
        screen.note(waiting)
    elif dialogue.followed is not None and (seen := look(config.database, dialogue.followed)):
        made = seen.tracked.stage is not Stage.STARTING
        goes_on = "It runs on" if made else "It is not made yet: the next tunebot goes on with it"
        name = seen.tracked.job.id or dialogue.followed
        screen.note(f"{goes_on}. See how far it is: tunebot finetune follow {name}")
    return 128 + number


def waits(config: Config, row: int | None) -> str:
    """That a job of this machine rests where no tunebot runs any more that trains it, and how it
    goes on; "" where it does by itself.
    """
    seen = None if row is None else look(config.database, row)
    if seen is None or seen.tracked.stage is not Stage.MADE:
        return ""
    provider = config.providers.get(seen.tracked.service)
    if provider is None or provider.kind != "local":
        return ""
    if is_trained(Folder(data_folder(config) / "tuning"), seen.tracked.job.id):
        return ""
    return (
        f"It trains on this machine, so it waits until a tunebot with this configuration runs: "
        f"tunebot run, or tunebot finetune follow {seen.tracked.job.id}, which stays to its end."
    )
