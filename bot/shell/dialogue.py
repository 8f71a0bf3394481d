"""One command of a shell, from its words to its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.messages import Button, Ending, Said
from bot.shell.following import follow, named, newest_of
from bot.shell.line import Line
from bot.shell.screen import Screen
from bot.shell.words import Typed, confirmed
from bot.training import JobStatus

NOBODY = "Nobody is here to choose. Add --yes for the first, or give one of these commands:"
NOT_ENOUGH = "Nobody is here to choose, and --yes is not enough here. Give one of these commands:"


class Dialogue:
    """Gives a command, asks what its card asks, and follows the job that it begins.

    `yes` presses the first button of a card that asks before it does, but that of a start; with
    `detach` a job that begins is followed until its service has it, and no further. `followed` is
    the number of the job that is before the eyes, None for none.
    """

    def __init__(
        self, command: Typed, database: Path, screen: Screen, *, yes: bool, detach: bool
    ) -> None:
        self.followed: int | None = None
        self._command = command
        self._database = database
        self._screen = screen
        self._yes = yes
        self._detach = detach

    async def __call__(self, line: Line) -> int:
        """The exit code: 1 where a card failed, or the job that was followed."""
        before = await self._find(newest_of, line.person)
        command = self._command
        while True:
            said = await line.ask(command)
            failed = said.ending is Ending.FAILED
            if not (failed or said.buttons):
                self.followed = await self._begun(command, line, before)
                if self.followed is not None:  # what is drawn begins with the card
                    return await self._follow(self.followed, line)
            self._screen.card(said.text, said.document, failed=failed)
            if failed or not said.buttons:
                return int(failed)
            if not (self._presses or self._screen.asks) and self._command.asks_first:
                self._tell_how(said)
                return 1
            button = await self._pressed(said)
            if button is None:
                return 0
            command = Typed(button.says)

    @property
    def _presses(self) -> bool:
        """Whether --yes presses the first button. A start was told of it, and asks all the same
        where no limit of costs would hold: then a person chooses.
        """
        return self._yes and self._command.asks_first and self._command.verb != "start"

    async def _pressed(self, said: Said) -> Button | None:
        """The button that is chosen, if any."""
        if self._presses:
            return said.buttons[0]
        return await self._screen.chosen(said.buttons) if self._screen.asks else None

    def _tell_how(self, said: Said) -> None:
        self._screen.note(NOT_ENOUGH if self._yes else NOBODY)
        for button in said.buttons:
            self._screen.note(f"  tunebot {button.says.lstrip('/')}  # {button.label}")

    async def _begun(self, command: Typed, line: Line, before: int) -> int | None:
        """The number of the job that is to be followed now, 0 for one that is gone already."""
        if command.verb == "follow":
            return await self._find(named, command.text.partition("follow")[2])
        if command.verb == "start":
            newest = await self._find(newest_of, line.person)
            return newest if newest > before else 0
        return confirmed(command.text)

    async def _follow(self, row: int, line: Line) -> int:
        detach = self._detach and self._command.verb != "follow"
        seen = await follow(self._database, row, line, self._screen, until_made=detach)
        if seen is None:
            return 1
        return 0 if detach else int(seen.job.status is not JobStatus.SUCCEEDED)

    async def _find(self, find: Callable[[Path, str], int], text: str) -> int:
        """The number of a job in the database."""
        return await asyncio.to_thread(find, self._database, text)
