"""A tunebot of this process, for as long as it takes to carry out commands."""

from __future__ import annotations

import asyncio
import getpass
import shutil
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from uuid import uuid4

from bot.errors import BotError
from bot.messages import (
    Attachment,
    Button,
    ConversationId,
    Document,
    IncomingMessage,
    Person,
    ReplyTo,
    Said,
)
from bot.ports import Check, Core, Door, Limits, Sink
from bot.shell.line import Line
from bot.shell.screen import Screen
from bot.shell.words import Typed

NAME = "terminal"  # so that [access] names one person, whether they chat or type commands
UNSAID = "Nothing was said to that; the log may know why."


class Here:
    """An adapter whose one person is the shell. It ends when `does` returns, with its exit code.

    What is said to a command is fetched from the core; everything else is printed as it comes. The
    card of a job is edited in place: here that is kept, for whoever draws it.
    """

    name = NAME
    limits = Limits(progress=False)
    people: Sequence[str] = (NAME,)
    doors: Sequence[Door] = ()
    opens_doors = False
    trouble = ""
    untold = ""

    def __init__(self, screen: Screen, does: Callable[[Line], Awaitable[int]]) -> None:
        self.person = f"{NAME}:{getpass.getuser()}"
        self.beginning = ""
        self.exit_code = 0
        self._screen = screen
        self._does = does
        # The channel of `tunebot chat`: a model that is used here answers there.
        self._where = ConversationId(NAME, NAME, "finetune")
        self._origins = (f"shell {uuid4().hex} {number}" for number in count())
        self._origin = ""
        self._asking: list[Post] | None = None
        self._core: Core

    async def run(self, core: Core) -> None:
        """Have it all done."""
        self._core = core
        self.exit_code = await self._does(self)

    async def ask(self, command: Typed) -> Said:
        """Give a command to the core."""
        self._origin, self._asking, question = next(self._origins), [], uuid4().hex
        files = (await self._attached(command.file),) if command.file else ()
        await self._core.receive(
            IncomingMessage(
                self._where,
                Person(self.person),
                command.text,
                origin=self._origin,
                attachments=files,
                question_id=question,
            )
        )
        await self._core.idle(self._where)
        said = await self._core.said(self._where, question)
        if said is None:
            raise BotError(UNSAID)
        posts, self._asking = self._asking, None
        for post in posts:
            if post.text != said.text:  # told of a job, before the command was answered
                post.print(self._screen)
        return said

    async def settled(self) -> None:
        """Wait for what is owed."""
        await self._core.idle(self._where)

    async def _attached(self, file: Path) -> Attachment:
        """A copy of a file, which is the core's. Raises BotError."""
        path = self._core.files / uuid4().hex
        try:
            await asyncio.to_thread(shutil.copyfile, file, path)
        except OSError as error:
            raise BotError(f"{file} cannot be read: {error.strerror}.") from None
        return Attachment(file.name, "", str(path), path.stat().st_size)

    def sink(self, to: ReplyTo) -> Sink:
        """A writer for one reply."""
        return HereSink(self, to)

    def post(self, post: Post) -> None:
        """Something was said."""
        if post.stands and not post.failed:
            self.beginning = post.text
        elif post.origin != self._origin or (post.failed and self._asking is None):
            post.print(self._screen)
        elif self._asking is not None:
            self._asking.append(post)

    async def close(self) -> None:
        """Nothing to release."""

    async def check(self) -> Sequence[Check]:
        """It is not configured, and so not checked."""
        return ()


class Post:
    """What a sink was given; it `stands` already where it is an edit."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.parts: dict[int, str] = {}
        self.document: Document | None = None
        self.failed = False
        self.stands = False

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.parts.values())

    def print(self, screen: Screen) -> None:
        """Show it."""
        screen.card(self.text, self.document, failed=self.failed)


class HereSink:
    """One reply, handed on when it is whole. Its handle is its key."""

    def __init__(self, here: Here, to: ReplyTo) -> None:
        self._here = here
        self._to = to
        self._post = Post(to.origin)

    async def ready(self) -> None:
        """At once."""

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        """Nothing: `limits` says so."""
        return handle

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),  # noqa: ARG002 - the core keeps those of replies
    ) -> str:
        """Note a part."""
        self._post.parts[part] = text
        self._post.failed, self._post.stands = failed, bool(handle)
        return handle or self._to.key

    async def retract(self, handle: str) -> None:
        """Nothing stands but what was printed."""

    async def attach(self, document: Document) -> None:
        """Note a file."""
        self._post.document = document

    async def close(self) -> None:
        """Hand it on."""
        if self._post.parts:
            self._here.post(self._post)
            self._post = Post(self._to.origin)
