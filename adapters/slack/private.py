"""One reply that only who asked sees: by the response_url of their command, as an ephemeral
message, or else in their direct messages with the bot.

What is ephemeral can be neither changed nor found again; so it does not grow, and a part whose
answer was lost may come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.slack.account import Account
from adapters.slack.blocks import Block, buttons, literal, markdown, section
from adapters.slack.failures import SlackRefused
from adapters.slack.pacer import EPHEMERAL, POST, Urgency
from adapters.slack.pieces import pieces
from adapters.slack.place import Place
from adapters.slack.safe import mrkdwn, notice, safe, visible
from adapters.slack.upload import Upload
from adapters.slack.writer import MOST_NOTICE
from bot.errors import DeliveryRefused
from bot.messages import Button, Document, ReplyTo

SAID = "private"  # the handle of what stands where nobody can change it
MOST_RESPONSES = 5
RESPONSES_LAST = 1740.0  # seconds; Slack says half an hour
MOST_URLS = 1000
MOST_BYTES = 9500
A_PIECE, A_SECTION = 2400, 3000  # bytes of Markdown, and what a section takes in characters
UNSEEN = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "user_not_in_channel",
        "is_archived",
        "thread_not_found",
    }
)


class PrivateSink:
    """One private reply in a channel."""

    def __init__(self, account: Account, to: ReplyTo) -> None:
        self._account = account
        self._place = place = Place.of(to)
        self._user = place.user or to.person.rpartition(":")[2]
        self._said: dict[int, int] = {}
        self._upload: Upload | None = None

    async def ready(self) -> None:
        """At once: nothing is shown before it is whole."""

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        """Nothing: an ephemeral message cannot grow."""
        return ""

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Make the final text of a part stand."""
        if handle:
            return handle
        urgency = Urgency.ERROR if failed else Urgency.FINAL
        below = self._below(buttons)
        texts = pieces(text, MOST_BYTES)
        for number in range(self._said.get(part, 0), len(texts)):
            last = number == len(texts) - 1
            await self._say(texts[number], below if last else (), urgency)
            self._said[part] = number + 1
        return SAID

    def _below(self, several: Sequence[Button]) -> Sequence[Block]:
        return buttons(several, self._user, self._place.thread)

    async def _say(self, text: str, below: Sequence[Block], urgency: Urgency) -> None:
        """By the first way that is open."""
        if not (await self._respond(text, below) or await self._whisper(text, below, urgency)):
            await self._post(text, below, urgency)

    async def _respond(self, text: str, below: Sequence[Block]) -> bool:
        """By the response_url, while it is good."""
        account, place = self._account, self._place
        used = account.responses.get(place.response_url, 0)
        young = account.clock.now() - place.asked < RESPONSES_LAST
        if not place.response_url or not young or used >= MOST_RESPONSES:
            return False
        sections = [block for piece in pieces(text, A_PIECE) for block in older(piece)]
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": notice(text, MOST_NOTICE),
            "blocks": [*sections, *below],
        }
        if place.thread:
            body["thread_ts"] = place.thread
        try:
            await account.api.respond(place.response_url, body)
        except SlackRefused:
            used = MOST_RESPONSES
            return False
        finally:
            account.responses[place.response_url] = used + 1
            while len(account.responses) > MOST_URLS:
                account.responses.pop(next(iter(account.responses)))
        return True

    async def _whisper(self, text: str, below: Sequence[Block], urgency: Urgency) -> bool:
        """As an ephemeral message, where both are in the channel."""
        place, api = self._place, self._account.api
        blocks = [markdown(visible(safe(text))), *below]

        async def whisper() -> None:
            shown = notice(text, MOST_NOTICE)
            await api.post_ephemeral(place.channel, self._user, shown, blocks, thread=place.thread)

        try:
            await self._account.pacer.call(EPHEMERAL, urgency, whisper)
        except SlackRefused as error:
            if error.code not in UNSEEN:
                raise
            return False
        return True

    async def _post(self, text: str, below: Sequence[Block], urgency: Urgency) -> None:
        """In the direct messages; a user's id stands for them."""
        blocks = [markdown(visible(safe(text))), *below]
        shown = notice(text, MOST_NOTICE)
        await self._account.pacer.call(
            POST,
            urgency,
            lambda: self._account.api.post(self._user, shown, blocks),
            self._user,
        )

    async def retract(self, handle: str) -> None:
        """Nothing that was said in private can be taken back."""

    async def attach(self, document: Document) -> None:
        """Send a file into the direct messages: an ephemeral message has none."""
        if not self._user:
            raise DeliveryRefused("Nobody is there to whom the file could be sent.")
        if not self._upload:
            direct = await self._account.api.direct(self._user)
            place = replace(self._place, channel=direct, thread="")
            self._upload = Upload(self._account, place, recovers=False)
        await self._upload.send(document)

    async def close(self) -> None:
        """Nothing is open."""


def older(text: str) -> list[Block]:
    """A text in Slack's older markup, or as it was written where that is too long."""
    shown = mrkdwn(text)
    return [section(shown)] if len(shown) <= A_SECTION else literal(text)
