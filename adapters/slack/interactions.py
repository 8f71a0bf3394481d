"""What people do at Slack besides writing messages: commands, buttons, shortcuts, reactions, home.

What comes from the shelf has been acknowledged already. Each method returns once its event has left
the shelf: handed on in IncomingMessage.events, or taken down. StoreError rises, and the same method
may be called again. What Slack would not send raises KeyError, TypeError or AttributeError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from adapters.slack import Settings
from adapters.slack.account import Account
from adapters.slack.asking import Asking, Question
from adapters.slack.commands import FINETUNE, is_command, typed, usage, usage_of, within
from adapters.slack.given import given, optional
from adapters.slack.home import Known, closed, home, stranger_sentence
from adapters.slack.names import Names
from adapters.slack.opinions import opinion, standing
from adapters.slack.pacer import REACTIONS, Urgency
from adapters.slack.place import Place
from adapters.slack.presses import Presses
from adapters.slack.readable import unescaped
from adapters.slack.shortcuts import Shortcuts
from adapters.slack.stops import Heard, Stops
from adapters.slack.telling import tell
from bot.errors import DeliveryError
from bot.messages import ConversationId, IncomingMessage, RawEvent
from bot.ports import Core

Json = Mapping[str, Any]
GONE = (
    "Slack says that the app was removed from the workspace: install it again at "
    "api.slack.com/apps, Install App, export its new SLACK_BOT_TOKEN and start tunebot again."
)

log = structlog.get_logger()


class Interactions:
    """Takes what people do, for one account."""

    def __init__(self, core: Core, account: Account, names: Names, settings: Settings) -> None:
        self._core = core
        self._account = account
        self._settings = settings
        self._asking = Asking(core, account, names)
        self._presses = Presses(core, account, self._asking)
        self._shortcuts = Shortcuts(core, account, names, self._asking, settings.direct)
        self._stops = Stops(account.clock)
        self._left: frozenset[int] = frozenset()

    def resumes(self, events: Iterable[RawEvent]) -> None:
        """These were left by an earlier run, which may have posted the question in one of them."""
        self._left = frozenset(event.id for event in events)

    def register(self, app: AsyncApp) -> None:
        """Shortcuts and views: they go through Bolt, because they must be answered in 3 s."""
        self._shortcuts.register(app)

    async def close(self) -> None:
        """End what still runs."""
        await self._shortcuts.close()

    async def command(self, payload: Json, event: RawEvent) -> None:
        """A slash command, as the form that Slack posts. It belongs to the channel: Slack has none
        in threads.
        """
        command, channel = given(payload, "command"), given(payload, "channel_id")
        place = Place(
            channel,
            "",
            given(payload, "team_id"),
            given(payload, "user_id"),
            direct=channel.startswith("D"),
            response_url=optional(payload, "response_url"),
            asked=self._account.clock.now(),
        )
        person = await self._asking.person(place.user)
        text = self._meant(command, unescaped(optional(payload, "text")).strip())
        if not self._core.admits(person):
            await self._core.take_down(event)
            await tell(self._account, place, stranger_sentence(person))
        elif not text:
            await self._core.take_down(event)
            await self._help(command, place)
        elif is_command(text):
            where = ConversationId(self._account.name, place.channel)
            await self._core.receive(
                IncomingMessage(where, person, text, (), place.origin(), events=(event.id,))
            )
        else:
            key = given(payload, "trigger_id")
            doubtful = event.id in self._left
            await self._ask(Question(place, text, text, key, (event.id,), doubtful=doubtful), event)

    def _meant(self, command: str, text: str) -> str:
        """What a slash command says in the core's words; "" where it says nothing."""
        if command == self._settings.finetune_command:
            return within(FINETUNE, text)
        return typed(text, self._core.commands)

    async def _help(self, command: str, place: Place) -> None:
        """What may be typed after a slash command."""
        commands = self._core.commands
        if command == self._settings.finetune_command:
            sentence = usage_of(FINETUNE, command, commands)
        else:
            sentence = usage(command, commands)
        await tell(self._account, place, sentence)

    async def _ask(self, question: Question, event: RawEvent) -> None:
        sentence = await self._asking.ask(question)
        if sentence:
            await self._core.take_down(event)
            await tell(self._account, question.place, sentence)

    async def action(self, payload: Json, event: RawEvent) -> None:
        """A press of a button: of a card, of a growing answer, or of what a person thinks of it."""
        await self._presses.press(payload, event)

    async def submission(self, payload: Json, event: RawEvent) -> None:
        """A modal that an earlier run has acknowledged; what comes now goes through Bolt."""
        await self._shortcuts.resume(payload, event)

    async def home(self, payload: Json, event: RawEvent) -> None:
        """app_home_opened, in the envelope of the Events API, as all below."""
        user = given(payload, "event", "user")
        await self._core.take_down(event)
        if optional(payload, "event", "tab") != "home":
            return
        person = await self._asking.person(user)
        if self._core.admits(person):
            known = Known(
                person,
                self._settings.command,
                self._core.greeting,
                self._core.profiles,
                self._core.commands,
                await self._core.spent(person),
            )
            view = home(known)
        else:
            view = closed(stranger_sentence(person))
        try:
            await self._account.api.publish_home(user, view)
        except DeliveryError as error:  # the next opening tries again
            log.warning("home tab not shown", reason=str(error))

    async def reaction(self, payload: Json, event: RawEvent) -> None:
        """👍 and 👎 on a message of the bot, added or removed; what is removed is taken back."""
        told, account = payload["event"], self._account
        value = opinion(given(told, "reaction"))
        ours = optional(told, "item_user") == account.bot_user
        if value and ours and optional(told, "item", "type") == "message":
            user = given(told, "user")
            person = await self._asking.person(user)
            channel, ts = given(told, "item", "channel"), given(told, "item", "ts")
            if told["type"] == "reaction_removed":
                value = await self._left_of(user, channel, ts)
            if self._core.admits(person):
                handle = account.wholes.get((channel, ts), ts)
                await self._core.feedback(account.name, channel, handle, person, value)
        await self._core.take_down(event)

    async def _left_of(self, user: str, channel: str, ts: str) -> int:
        """What somebody thinks who took a reaction back; the other thumb may still stand."""
        api = self._account.api
        try:
            found = await self._account.pacer.call(
                REACTIONS, Urgency.FIRST, lambda: api.reactions(channel, ts)
            )
        except DeliveryError:
            return 0
        return standing(found.get("message") or {}, user)

    def stop_is_new(self, where: ConversationId) -> bool:
        """Whether a stream that a person stopped is not stopped by its event already."""
        return self._stops.is_new(where, Heard.STREAM)

    async def stopped(self, payload: Json, event: RawEvent) -> None:
        """agent_session_stopped: Slack's own Stop button is /stop in that thread."""
        told = payload["event"]
        channel, thread = given(told, "channel"), optional(told, "thread_ts")
        person = await self._asking.person(given(told, "user"))
        where = ConversationId(self._account.name, channel, thread)
        if not self._stops.is_new(where, Heard.EVENT):
            await self._core.take_down(event)
            return
        place = Place(
            channel,
            thread,
            optional(payload, "team_id"),
            given(told, "user"),
            direct=channel.startswith("D"),
            asked=self._account.clock.now(),
        )
        await self._core.receive(
            IncomingMessage(where, person, "/stop", (), place.origin(), events=(event.id,))
        )

    async def gone(self, payload: Json, event: RawEvent) -> None:
        """app_uninstalled and tokens_revoked."""
        told = payload["event"]
        if told["type"] == "app_uninstalled" or (told.get("tokens") or {}).get("bot"):
            log.error(GONE)
            self._account.trouble = GONE
        await self._core.take_down(event)
