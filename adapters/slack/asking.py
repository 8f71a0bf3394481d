"""Questions that are no messages of Slack: of a slash command or a modal.

The bot posts who asks what, so that others can follow, and the question goes in as that message's
thread. What was posted carries the question's key: after a crash, or where Slack's answer got lost,
it is looked up before it is posted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from adapters.slack.account import Account
from adapters.slack.failures import SlackRefused, TokenRefused
from adapters.slack.given import optional
from adapters.slack.names import Names
from adapters.slack.pacer import DELETE, HISTORY, POST, REPLIES, Urgency
from adapters.slack.place import Place
from adapters.slack.safe import cleaned, notice
from bot.errors import DeliveryError
from bot.messages import ConversationId, IncomingMessage, Person, Receipt
from bot.ports import Core

METADATA = "tunebot_question"
MOST_SHOWN = 3_000  # characters of a question that are shown; all of it is asked
MOST_NOTICE = 300
MOST_LOOKED_AT = 50  # messages among which a posted question is looked for
SKEW = 60.0  # seconds by which two clocks may differ
MOST_TRIES = 4
PAUSE = 2.0  # seconds before the second try; each later one waits twice as long
ABSENT = frozenset({"channel_not_found", "not_in_channel"})
INVITE = (
    "I am not in this conversation: type /invite here and choose me, then ask again, or write to "
    "me directly."
)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks. `text` goes in, `shown` is posted, in the thread of `place` or, with "",
    as the root of a new one if it `begins` one. `key` is its own; `doubtful` says that an earlier
    run may have posted it.
    """

    place: Place
    text: str
    shown: str
    key: str
    events: tuple[int, ...] = ()
    begins: bool = True
    doubtful: bool = False


class Asking:
    """Asks on behalf of people."""

    def __init__(self, core: Core, account: Account, names: Names) -> None:
        self._core = core
        self._account = account
        self._names = names
        self._standing: dict[str, str] = {}

    async def ask(self, question: Question) -> str:
        """Post a question and hand it in; a sentence about why not, and then nothing is left of it.

        Raises StoreError: then it stands until it is asked again, or withdrawn.
        """
        place = question.place
        person = await self.person(place.user)
        try:
            ts = self._standing.get(question.key) or await self._posted(question, person.name)
        except DeliveryError as error:
            return INVITE if getattr(error, "code", "") in ABSENT else str(error)
        self._standing[question.key] = ts
        thread = place.thread or (ts if question.begins else "")
        where = ConversationId(self._account.name, place.channel, thread)
        origin = replace(place, message=ts).origin()
        key = f"{place.team}/{place.channel}/{ts}"
        message = IncomingMessage(
            where, person, question.text, (key,), origin, events=question.events
        )
        receipt = await self._core.receive(message)
        if receipt is Receipt.ACCEPTED:
            self._account.fresh.add((place.channel, origin))
        elif receipt is Receipt.REFUSED:  # they were told why
            await self.withdraw(question)
        self._standing.pop(question.key, None)
        return ""

    async def withdraw(self, question: Question) -> None:
        """Take away what was posted of a question that is not handed in."""
        channel, ts = question.place.channel, self._standing.pop(question.key, "")
        if ts:
            with suppress(DeliveryError):
                await self._account.pacer.call(
                    DELETE, Urgency.ERROR, lambda: self._account.api.delete(channel, ts)
                )

    async def person(self, user: str) -> Person:
        """Somebody, by the name that others see."""
        names = await self._names.of([user])
        return Person(f"{self._account.name}:{user}", names.get(user, user))

    async def _posted(self, question: Question, name: str) -> str:
        """Post what is asked, once; the ts. Raises DeliveryError."""
        for attempt in count(1):
            try:
                found = await self._found(question) if question.doubtful or attempt > 1 else ""
                return found or await self._post(question, name)
            except (SlackRefused, TokenRefused):
                raise
            except DeliveryError as error:
                if attempt == MOST_TRIES:
                    raise
                await self._account.clock.sleep(error.retry_after or PAUSE * 2.0 ** (attempt - 1))
        raise AssertionError

    async def _post(self, question: Question, name: str) -> str:
        place = question.place
        return await self._account.pacer.call(
            POST,
            Urgency.FINAL,
            lambda: self._account.api.post(
                place.channel,
                notice(f"{name} asked: {question.shown}", MOST_NOTICE),
                asked(name, question.shown),
                thread=place.thread,
                metadata={"event_type": METADATA, "event_payload": {"key": question.key}},
            ),
            place.channel,
        )

    async def _found(self, question: Question) -> str:
        """The ts under which a question was posted; "" if it was not. Raises DeliveryError."""
        place, api = question.place, self._account.api
        if place.thread:
            page = await self._account.pacer.call(
                REPLIES,
                Urgency.FIRST,
                lambda: api.thread(
                    place.channel,
                    place.thread,
                    oldest=f"{max(0.0, place.asked - SKEW):.6f}",
                    limit=MOST_LOOKED_AT,
                ),
            )
        else:
            page = await self._account.pacer.call(
                HISTORY, Urgency.FIRST, lambda: api.history(place.channel, limit=MOST_LOOKED_AT)
            )
        messages: Sequence[dict[str, Any]] = page.get("messages") or ()
        return next((str(each["ts"]) for each in messages if key_of(each) == question.key), "")


def asked(name: str, question: str) -> list[dict[str, Any]]:
    """Who asked what, in rich text: Slack acts on nothing there."""
    words = cleaned(question).strip()
    if len(words) > MOST_SHOWN:
        words = f"{words[: MOST_SHOWN - 1]}…"
    who = [
        {"type": "text", "text": cleaned(name) or "Somebody", "style": {"bold": True}},
        {"type": "text", "text": " asked:"},
    ]
    return [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": who},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": words or "…"}]},
            ],
        }
    ]


def key_of(message: dict[str, Any]) -> str:
    """The key of the question that a message posted."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != METADATA:
        return ""
    return str((metadata.get("event_payload") or {}).get("key", ""))


def team_of(payload: Mapping[str, Any]) -> str:
    """The workspace of who did something; an organisation's install has no team of its own."""
    return optional(payload, "user", "team_id") or optional(payload, "team", "id")
