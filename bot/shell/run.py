"""Running a command of a shell: in this process, or by another one that has the database."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.app import App
from bot.config import Config
from bot.errors import StoreTaken
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
        return asyncio.run(in_this_process(config, dialogue, screen))
    except StoreTaken:
        return asyncio.run(in_another(config, dialogue, screen))


async def in_this_process(config: Config, dialogue: Dialogue, screen: Screen) -> int:
    """Run a tunebot for it. Raises StoreTaken where another one has the database."""
    here = Here(screen, dialogue)
    app = App(config, [here])
    interrupted = on_signals(app.stop)
    await app.run()
    return (
        gone(config.database, dialogue, screen, interrupted[0]) if interrupted else here.exit_code
    )


async def in_another(config: Config, dialogue: Dialogue, screen: Screen) -> int:
    """Have another tunebot do it, the one that has the database."""
    line = Elsewhere(config, os.environ)
    talk = asyncio.create_task(dialogue(line), name="dialogue")
    interrupted = on_signals(talk.cancel)
    await asyncio.wait([talk])
    if talk.cancelled():
        return gone(config.database, dialogue, screen, interrupted[0])
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


def gone(database: Path, dialogue: Dialogue, screen: Screen, number: int) -> int:
    """Tell a person who does not wait any longer how to go on; returns the exit code."""
    if dialogue.followed is not None and (seen := look(database, dialogue.followed)):
        made = seen.tracked.stage is not Stage.STARTING
        goes_on = "It runs on" if made else "It is not made yet: the next tunebot goes on with it"
        name = seen.tracked.job.id or dialogue.followed
        screen.note(f"{goes_on}. See how far it is: tunebot finetune follow {name}")
    return 128 + number
