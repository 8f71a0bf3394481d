"""Shortcuts and the modal that they open.

They go through Bolt: a modal must be opened within three seconds of its trigger, and what is wrong
with a question is said in the modal itself, in the answer to its submission. What is not wrong is
on the shelf before it is acknowledged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from adapters.slack.account import Account
from adapters.slack.asking import Asking, Question, team_of
from adapters.slack.given import given, optional
from adapters.slack.home import stranger_sentence
from adapters.slack.modals import (
    ASK,
    ASK_ABOUT,
    ASKED,
    QUESTION,
    Shortcut,
    Subject,
    question,
    sorry,
    subject_of,
    typed_in,
)
from adapters.slack.names import Names
from adapters.slack.place import Place
from adapters.slack.readable import people_in, readable
from adapters.slack.telling import tell
from bot.errors import DeliveryError, StoreError
from bot.messages import Person, RawEvent
from bot.ports import Core

Json = Mapping[str, Any]
PATIENCE = 2.0  # seconds until a submission is acknowledged, whatever is still to come
EMPTY = "Type a question first."
LATE = "Slack did not open the window in time: try again."

log = structlog.get_logger()


class Shortcuts:
    """Opens the modal, and asks what was typed there. A question about a message goes into its
    thread; one about nothing begins a thread in the direct messages, or, with `direct` "channel",
    is part of that one conversation.
    """

    def __init__(
        self, core: Core, account: Account, names: Names, asking: Asking, direct: str
    ) -> None:
        self._core = core
        self._account = account
        self._names = names
        self._asking = asking
        self._direct = direct
        self._tasks: set[asyncio.Task[str]] = set()

    def register(self, app: AsyncApp) -> None:
        """Have Bolt call this."""
        app.global_shortcut(ASK.callback_id)(self._everywhere)
        app.message_shortcut(ASK_ABOUT.callback_id)(self._about)
        app.view_submission(ASKED)(self._submitted)

    async def close(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _everywhere(self, ack: AsyncAck, body: Json) -> None:
        await ack()
        await self._open(body, ASK, Subject())

    async def _about(self, ack: AsyncAck, body: Json) -> None:
        await ack()
        ts = given(body, "message", "ts")
        subject = Subject(
            given(body, "channel", "id"),
            optional(body, "message", "thread_ts") or ts,
            optional(body, "message", "text"),
            optional(body, "message", "user"),
            optional(body, "response_url"),
            self._account.clock.now(),
        )
        await self._open(body, ASK_ABOUT, subject)

    async def _open(self, body: Json, shortcut: Shortcut, subject: Subject) -> None:
        person = Person(f"{self._account.name}:{given(body, 'user', 'id')}")
        admitted = self._core.admits(person)
        view = (
            question(subject, shortcut) if admitted else sorry(stranger_sentence(person), shortcut)
        )
        try:
            await self._account.api.open_view(given(body, "trigger_id"), view)
        except DeliveryError as error:
            log.warning("modal not opened", reason=str(error))
            if subject.response_url:
                await tell(self._account, place_of(subject, body), LATE)

    async def _submitted(self, ack: AsyncAck, body: Json) -> None:
        """Ask, and say in the modal what is wrong; what takes longer than Slack waits goes on."""
        work = asyncio.create_task(self._ask(body), name="ask from a modal")
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait([work], timeout=PATIENCE)
        sentence = work.result() if done else ""
        if sentence:
            await ack(response_action="errors", errors={QUESTION: sentence})
            return
        await ack()
        if not done and (sentence := await work):
            subject = subject_of(body["view"]["private_metadata"])
            await tell(self._account, place_of(subject, body), sentence)

    async def _ask(self, body: Json) -> str:
        """A sentence about what is wrong, "" if nothing is: then the question is committed."""
        person = Person(f"{self._account.name}:{given(body, 'user', 'id')}")
        if not self._core.admits(person):
            return stranger_sentence(person)
        if not typed_in(body["view"]):
            return EMPTY
        try:
            shelved = await self._core.shelve(self._account.name, [("", json.dumps(body))])
        except StoreError as error:
            return str(error)
        (event,) = filter(None, shelved)  # what has no key was not seen before
        sentence = await self._asked(body, event)
        if sentence:
            await self._core.take_down(event)
        return sentence

    async def _asked(self, body: Json, event: RawEvent) -> str:
        """Ask while somebody waits: where the store fails they may press the button again."""
        try:
            question = await self._question(body, event, doubtful=False)
        except DeliveryError as error:
            return str(error)
        try:
            return await self._asking.ask(question)
        except StoreError as error:
            await self._asking.withdraw(question)
            return str(error)

    async def resume(self, body: Json, event: RawEvent) -> None:
        """Ask what an earlier run has acknowledged and not handed in. Raises StoreError."""
        try:
            sentence = await self._asking.ask(await self._question(body, event, doubtful=True))
        except DeliveryError as error:
            sentence = str(error)
        if sentence:
            await self._core.take_down(event)
            subject = subject_of(body["view"]["private_metadata"])
            await tell(self._account, place_of(subject, body), sentence)

    async def _question(self, body: Json, event: RawEvent, *, doubtful: bool) -> Question:
        """What is asked by a submission. Raises DeliveryError."""
        view, text = body["view"], typed_in(body["view"])
        subject = subject_of(view["private_metadata"])
        place = place_of(subject, body)
        if not place.channel:
            direct = await self._account.api.direct(place.user)
            place = replace(place, channel=direct, direct=True)
        return Question(
            place,
            await self._about_what(subject, text),
            text,
            given(view, "id"),
            (event.id,),
            begins=bool(subject.channel) or self._direct == "thread",
            doubtful=doubtful,
        )

    async def _about_what(self, subject: Subject, text: str) -> str:
        """A question with the message that it is about, as a quotation above it."""
        if not subject.text.strip():
            return text
        names = await self._names.of([*filter(None, [subject.author]), *people_in(subject.text)])
        author = names.get(subject.author, subject.author) or "Somebody"
        lines = readable(subject.text, names).splitlines()
        return "\n".join([f"{author} wrote:", *(f"> {line}" for line in lines), "", text])


def place_of(subject: Subject, body: Json) -> Place:
    """Where somebody asks about something; without a subject the channel is not known yet."""
    return Place(
        subject.channel,
        subject.thread,
        team_of(body),
        given(body, "user", "id"),
        direct=subject.channel.startswith("D"),
        response_url=subject.response_url,
        asked=subject.asked,
    )
