"""Presses of buttons below messages: of cards, of a growing answer, and of what people think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.account import Account
from adapters.slack.asking import Asking, team_of
from adapters.slack.blocks import Opinion, Says, Stop, pressed
from adapters.slack.given import given, optional
from adapters.slack.home import stranger_sentence
from adapters.slack.opinions import THANKS
from adapters.slack.pacer import UPDATE, Urgency
from adapters.slack.place import Place
from adapters.slack.readable import unescaped
from adapters.slack.recent import Recent
from adapters.slack.safe import notice, plain
from adapters.slack.telling import tell
from bot.errors import DeliveryError
from bot.messages import ConversationId, IncomingMessage, RawEvent, Receipt
from bot.ports import Core

Json = Mapping[str, Any]
OLD = "This button is old: ask again, please."
NOT_YOURS = "Only the person who was asked may press this."
MOST_NOTICE = 300
MOST_REFUSED = 1000  # presses that were refused and may be made again

log = structlog.get_logger()


class Presses:
    """Lets buttons say what they say, once, for who may press them."""

    def __init__(self, core: Core, account: Account, asking: Asking) -> None:
        self._core = core
        self._account = account
        self._asking = asking
        self._refused: Recent[str] = Recent(MOST_REFUSED)

    async def press(self, payload: Json, event: RawEvent) -> None:
        """A block_actions payload. What Slack would not send raises KeyError or TypeError."""
        if given(payload, "container", "type") != "message":
            await self._core.take_down(event)
            return
        action, place = payload["actions"][0], place_of(payload, self._account.clock.now())
        match pressed(action):
            case Says() as button if not button.may(place.user):
                await self._core.take_down(event)
                await tell(self._account, place, NOT_YOURS)
            case Says() as button:
                await self._answer(button, payload, place, event)
            case Stop() as button:
                key = f"stop/{place.channel}/{place.message}"
                await self._say("/stop", button.thread, key, place, event)
            case Opinion() as opinion:
                await self._rate(opinion, place, event)
            case None:
                await self._core.take_down(event)
                await tell(self._account, place, OLD)

    async def _answer(self, button: Says, payload: Json, place: Place, event: RawEvent) -> None:
        """Say what a button of a card says; its card shows that, or who pressed it is told."""
        value = given(payload["actions"][0], "value")
        key = f"press/{place.channel}/{place.message}/{value}/{place.user}"
        again = f"{key}/{event.id}" if key in self._refused else key
        match await self._say(button.text, button.thread, again, place, event):
            case Receipt.ACCEPTED:
                await self._show_choice(payload, place)
            case Receipt.DUPLICATE:
                await tell(self._account, place, OLD)
            case Receipt.REFUSED:  # they were told when to try it again
                self._refused.add(key)

    async def _say(
        self, text: str, thread: str, key: str, place: Place, event: RawEvent
    ) -> Receipt:
        """Hand in what a button says, as if it was typed."""
        person = await self._asking.person(place.user)
        where = ConversationId(self._account.name, place.channel, thread)
        origin = replace(place, message="").origin()  # a press is no message, but comes now
        message = IncomingMessage(where, person, text, (key,), origin, events=(event.id,))
        return await self._core.receive(message)

    async def _rate(self, opinion: Opinion, place: Place, event: RawEvent) -> None:
        person = await self._asking.person(place.user)
        if not self._core.admits(person):
            sentence = stranger_sentence(person)
        else:
            handle = opinion.handle(place.message)
            known = await self._core.feedback(
                self._account.name, place.channel, handle, person, opinion.value
            )
            sentence = THANKS if known else OLD
        await self._core.take_down(event)
        await tell(self._account, place, sentence)

    async def _show_choice(self, payload: Json, place: Place) -> None:
        """Take the buttons away, and show in their place what was chosen and by whom."""
        label = optional(payload["actions"][0], "text", "text")
        name = (await self._asking.person(place.user)).name
        message = payload.get("message") or {}
        text = notice(unescaped(optional(message, "text")) or label, MOST_NOTICE)
        blocks = chosen(message.get("blocks") or (), f"✓ {label}, {name}")
        try:
            if payload["container"].get("is_ephemeral"):
                body = {"replace_original": True, "text": text, "blocks": blocks}
                await self._account.api.respond(place.response_url, body)
                return
            await self._account.pacer.call(
                UPDATE,
                Urgency.FIRST,
                lambda: self._account.api.update(place.channel, place.message, text, blocks),
            )
        except DeliveryError as error:
            log.warning("buttons not taken away", reason=str(error))


def place_of(payload: Json, now: float) -> Place:
    """Where a press was made; its message is the one with the button."""
    channel = optional(payload, "container", "channel_id") or given(payload, "channel", "id")
    message = given(payload, "container", "message_ts")
    thread = optional(payload, "container", "thread_ts")
    return Place(
        channel,
        "" if thread == message else thread,
        team_of(payload),
        given(payload, "user", "id"),
        message,
        channel.startswith("D"),
        optional(payload, "response_url"),
        now,
    )


def chosen(blocks: Sequence[Json], choice: str) -> list[dict[str, Any]]:
    """The blocks of a message, with what was chosen in the place of its buttons. Feedback stays."""
    kept = [dict(block) for block in blocks if block.get("type") != "actions"]
    words = {"type": "plain_text", "text": plain(choice), "emoji": True}
    return [*kept, {"type": "context", "elements": [words]}]
