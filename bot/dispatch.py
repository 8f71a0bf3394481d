"""What a conversation waits for is done: a text delivered, a command run, messages answered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from bot.commands import Call, Services, called, is_command
from bot.conversation import apology
from bot.errors import BotError, StoreError
from bot.lanes import Lane
from bot.messages import Card, ConversationId, ReplyTo
from bot.outbox import Outbox
from bot.store import outbox
from bot.store.inbox import Received
from bot.store.outbox import Owed
from bot.voice import Voice

FORGOTTEN = "This was deleted before it was answered; ask it again."


class Dispatch:
    """Does what lanes hold. A BotError is said as it is; here is the one broad catch, of bugs."""

    def __init__(self, services: Services, outbox: Outbox, voice: Voice) -> None:
        self._services = services
        self._outbox = outbox
        self._voice = voice
        self._store = services.store
        self._conversation = services.conversation
        self._access = services.access
        self._left: set[tuple[ConversationId, str]] = set()

    async def first(self, lane: Lane) -> None:
        """Do what comes first in a lane; messages that can be are answered together."""
        if lane.owed:
            await self._outbox.deliver(lane.owed.pop(0))
        elif lane.asked:
            await self._conversation.resume(lane.asked.pop(0))
        elif is_command(lane.messages[0].text):
            lane.owed += await self.command(lane.messages.pop(0))
        else:
            batch = together(lane.messages)
            del lane.messages[: len(batch)]
            lane.owed += await self._answer(batch)

    async def command(self, message: Received) -> list[Owed]:
        """Run a command; what it says is owed."""
        try:
            command, rest = called(message.text)
            self._access.require(message.person.id, command.rank)
            card = await command.run(Call(message, rest, self._services))
        except StoreError:
            await self._give_up(message)
            raise
        except BotError as error:
            card = failure(str(error))
        except Exception:
            card = failure(apology("command failed"))
        return await self._done([message], Card(card) if isinstance(card, str) else card)

    def was_left(self, where: ConversationId, question_id: str) -> bool:
        """Whether a question is left for the next start, as the database failed."""
        return (where, question_id) in self._left

    async def _answer(self, messages: Sequence[Received]) -> list[Owed]:
        """Have messages answered as one turn; what could not be is said."""
        try:
            messages = [await self._listened(message) for message in messages]
            if await self._conversation.answer(messages) or not messages[-1].question_id:
                return []
        except StoreError:
            await self._give_up(messages[-1])
            raise
        except BotError as error:
            return await self._done(messages, failure(str(error)))
        except Exception:  # the one broad catch: a bug is apologised for, and logged
            return await self._done(messages, failure(apology("answering failed")))
        return await self._done(messages, failure(FORGOTTEN))

    async def _listened(self, message: Received) -> Received:
        """A message whose recordings became text, which the person is shown before the answer."""
        transcript = await self._voice.transcript(message) if message.attachments else ""
        if not transcript:
            return message
        recordings = {each.path for each in message.attachments if each.is_speech}
        message, owed = await self._store.insist(outbox.heard, message, transcript)
        await self._services.files.delete(recordings)
        if owed:
            await self._outbox.deliver(owed)
        return message

    async def _give_up(self, message: Received) -> None:
        """Tell who waits for what is said to a question that nothing will be, until a restart."""
        if message.question_id:
            self._left.add((message.conversation, message.question_id))
            await self._outbox.give_up(reply_to(message))

    async def _done(self, messages: Sequence[Received], card: Card | None) -> list[Owed]:
        """Messages are dealt with; a card about them is owed."""
        return await self._store.insist(outbox.answer, messages, card)


def forgotten(lane: Lane) -> list[Owed]:
    """What those are told who wait for an answer in a conversation that was deleted."""
    waiting = [each.to for each in lane.asked]
    waiting += [reply_to(each) for each in lane.messages if each.question_id]
    return [Owed(0, to, failure(FORGOTTEN)) for to in waiting]


def together(messages: Sequence[Received]) -> list[Received]:
    """The first messages that are answered as one turn; a question is by itself."""
    if messages[0].question_id:
        return [messages[0]]
    return list(takewhile(lambda m: not (is_command(m.text) or m.question_id), messages))


def failure(sentence: str) -> Card:
    """Why somebody gets no answer, for them alone."""
    return Card(sentence, private=True, failed=True)


def reply_to(message: Received) -> ReplyTo:
    """Where a message is answered for which there is nothing stored any more."""
    key = f"message-{message.id}"
    return ReplyTo(message.conversation, key, message.origin, message.person.id)
