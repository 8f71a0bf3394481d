"""One reply in Slack: what grows, and the final text that stands.

A part of it is one message, or several where escaping makes it too long for one; its handle names
their ts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.slack.account import Account
from adapters.slack.blocks import Block, buttons, feedback, handle_of, messages_of
from adapters.slack.failures import SlackRefused, TooLong
from adapters.slack.lookup import Name
from adapters.slack.message import Message
from adapters.slack.pacer import UPDATE, Urgency
from adapters.slack.pieces import LEAST, pieces
from adapters.slack.place import Place
from adapters.slack.private import UNSEEN, PrivateSink
from adapters.slack.status import Status
from adapters.slack.upload import Upload
from adapters.slack.writer import Writer
from bot.errors import DeliveryError
from bot.messages import Button, Document, ReplyTo
from bot.ports import Limits, Sink

Below = Callable[[Sequence[str]], list[Block]]  # from the messages above to what stands below
LIMITS = Limits(soft=7500, hard=8500, unit="utf-8")
MOST_WHOLES = 1000  # messages of parts that needed several
MOST_BYTES = 9500  # of a message, escaped; Slack takes about 10,600 in a stream


def nothing(_: Sequence[str]) -> list[Block]:
    """Nothing stands below a part that is not the last."""
    return []


def sink_for(account: Account, to: ReplyTo) -> Sink:
    """A fresh writer for one reply."""
    hidden = to.private and not Place.of(to).direct  # in direct messages nobody else reads
    return PrivateSink(account, to) if hidden else SlackSink(account, to)


class SlackSink:
    """One reply that everybody sees."""

    def __init__(self, account: Account, to: ReplyTo) -> None:
        self._account = account
        self._clock = account.clock
        self._writer = Writer(account, to)
        self._to = to
        self._key = to.key
        self._person = to.person.rpartition(":")[2]
        self._messages: dict[int, list[Message]] = {}
        self._texts: dict[int, str] = {}
        self._most = MOST_BYTES
        self._next_look = 0.0
        self._status = Status(account, self._writer.place, to.key, wanted=to.answer)
        self._upload: Upload | None = None
        self._private: PrivateSink | None = None

    async def ready(self) -> None:
        """Return when Slack would take another look."""
        while (wait := self._wait()) > 0:
            await self._clock.sleep(wait)

    def _wait(self) -> float:
        if not self._to.answer:  # a card, edited while something goes on: answers come first
            return self._account.pacer.wait(UPDATE, Urgency.PROGRESS)
        look = self._next_look - self._clock.now()
        shown = [message for part in sorted(self._messages) for message in self._messages[part]]
        newest = shown[-1] if shown else Message(self._writer, Name(self._key, 0))
        return max(look, newest.wait())

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:
        """Show a part that may still grow. A sentence about a wait is left to the status: a stream
        could not take it back.
        """
        if waiting:
            return handle
        await self._settle(part - 1)
        self._texts[part] = text
        handle = await self._lay(part, text, handle, Urgency.PROGRESS, None)
        if handle:
            self._status.end()
        self._next_look = self._clock.now() + self._messages[part][-1].pause
        return handle

    async def _settle(self, part: int) -> None:
        """A part that is full grows no more: its stream ends."""
        if part in self._texts and not self._messages[part][-1].settled:
            await self._lay(part, self._texts[part], "", Urgency.ERROR, nothing)

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
        if self._private:
            return await self._private.finish(part, text, handle, failed=failed, buttons=buttons)
        urgency = Urgency.ERROR if failed else Urgency.FINAL
        self._known(part, handle)
        below = self._below(part, buttons, failed=failed)
        # First, as it may fail: then this part is not sent yet, and is not sent twice.
        await self._bare(part - 1)
        self._texts[part] = text
        try:
            handle = await self._lay(part, text, handle, urgency, below)
        except SlackRefused as error:
            if error.code not in UNSEEN or not self._writer.place.response_url:
                raise
            # A slash command, where the bot is not: who typed it can be answered all the same.
            self._private = PrivateSink(self._account, self._to)
            return await self._private.finish(part, text, "", failed=failed, buttons=buttons)
        self._status.end()
        return handle

    def _below(self, part: int, several: Sequence[Button], *, failed: bool) -> Below:
        """What stands below a part. Opinions are asked for below the last one."""
        last = part >= max(self._texts, default=part)
        asks = self._account.feedback and self._to.answer and last and not failed
        shown = buttons(several, self._person, self._writer.place.thread)
        return lambda above: [*shown, feedback(above)] if asks else shown

    async def _bare(self, part: int) -> None:
        """Take the buttons away from a part that is not the last."""
        if part in self._texts and self._messages[part][-1].below:
            await self._lay(part, self._texts[part], "", Urgency.FINAL, nothing)

    async def _lay(
        self, part: int, text: str, handle: str, urgency: Urgency, below: Below | None
    ) -> str:
        """Have a part stand in its messages, as many as it needs; where nobody says what is `below`
        it, it may still grow. Returns the handle.
        """
        messages = self._known(part, handle)
        while True:
            texts = pieces(text, self._most)
            try:
                for number, piece in enumerate(texts):
                    if number == len(messages):
                        messages.append(Message(self._writer, Name(self._key, part, number)))
                    if number < len(texts) - 1:
                        await messages[number].finish(piece, [], urgency)
                    elif below:
                        above = [message.ts for message in messages[:number]]
                        await messages[number].finish(piece, below(above), urgency)
                    else:
                        await messages[number].show(piece)
                break
            except TooLong:
                if self._most <= LEAST:
                    raise
                self._most = max(LEAST, self._most // 2)
        while len(messages) > len(texts):
            await messages[-1].retract()
            messages.pop()
        return self._whole([message.ts for message in messages if message.ts])

    def _whole(self, messages: Sequence[str]) -> str:
        """The handle of a part; who reacts to one of several messages means all of it."""
        handle, wholes = handle_of(messages), self._account.wholes
        if len(messages) > 1:
            wholes.update({(self._writer.channel, ts): handle for ts in messages})
            while len(wholes) > MOST_WHOLES:
                wholes.pop(next(iter(wholes)))
        return handle

    def _known(self, part: int, handle: str) -> list[Message]:
        """The messages of a part, those of its handle if it has none yet."""
        if not self._messages.get(part):
            self._messages[part] = [
                Message(self._writer, Name(self._key, part, number), ts)
                for number, ts in enumerate(messages_of(handle))
            ]
        return self._messages[part]

    async def retract(self, handle: str) -> None:
        """Take away a message that holds no part of the final text."""
        for part, messages in list(self._messages.items()):
            if handle == handle_of([message.ts for message in messages]):
                for message in messages:
                    await message.retract()
                del self._messages[part]
                self._texts.pop(part, None)
                return
        for ts in messages_of(handle):
            await Message(self._writer, Name(self._key, 0), ts).retract()

    async def attach(self, document: Document) -> None:
        """Send a file."""
        if self._private:
            await self._private.attach(document)
            return None
        place, recovers = self._writer.place, self._writer.recovers
        self._upload = self._upload or Upload(self._account, place, recovers=recovers)
        return await self._upload.send(document)

    async def close(self) -> None:
        """Be seen thinking no more, and leave no stream open."""
        await self._status.close()
        for messages in self._messages.values():
            for message in messages:
                try:
                    await message.leave()
                except DeliveryError:
                    continue
