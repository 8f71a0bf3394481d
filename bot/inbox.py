"""Every message enters here: committed, deduplicated, in order for its conversation."""

from __future__ import annotations

import asyncio
import re
from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile

import structlog
from structlog.contextvars import bound_contextvars

from bot import metrics
from bot.access import Rank, rate_sentence, stranger_sentence
from bot.commands import Call, Services, called, is_command
from bot.commands.finetune.data import is_data
from bot.conversation import apology
from bot.errors import AccessDenied, BotError, CommandError, StoreError, TooFast
from bot.messages import Card, ConversationId, IncomingMessage, Receipt, ReplyTo
from bot.outbox import Outbox
from bot.store import conversations, inbox, outbox, privacy, questions, turns
from bot.store.inbox import Received
from bot.store.outbox import Owed
from bot.store.turns import Asked
from bot.voice import Voice

LEFT = "The database failed while this was answered: the next start of tunebot answers it."
FORGOTTEN = "This was deleted before it was answered; ask it again."
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

log = structlog.get_logger()


@dataclass(slots=True)
class Lane:
    """What a conversation waits for: texts owed, then answers owed, then messages, in order.
    `places` are its ids: it has two while a channel moves.
    """

    places: list[ConversationId]
    owed: list[Owed] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    messages: list[Received] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Inbox:
    """Takes messages in and has them answered: one at a time in a conversation, side by side
    across them.
    """

    def __init__(self, services: Services, outbox: Outbox, voice: Voice) -> None:
        self._voice = voice
        self._services = services
        self._outbox = outbox
        self._store = services.store
        self._conversation = services.conversation
        self._access = services.access
        self._clock = services.clock
        self._lanes: dict[ConversationId, Lane] = {}
        self._receiving: set[asyncio.Task[Receipt]] = set()
        self._taking: Counter[ConversationId] = Counter()
        self._left: set[tuple[ConversationId, str]] = set()
        self._closing = False

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Commit a message; see bot.ports.Core.

        What has begun to be committed is taken, even if the adapter no longer waits for it.
        """
        taking = asyncio.create_task(self._receive(message), name="receive")
        self._receiving.add(taking)
        taking.add_done_callback(self._receiving.discard)
        try:
            receipt = await asyncio.shield(taking)
        except StoreError as error:
            log.warning("message not taken", reason=str(error))
            raise
        metrics.messages_in.labels(message.conversation.adapter, receipt).inc()
        return receipt

    async def idle(self, conversation: ConversationId) -> None:
        """Return when everything received for a conversation is answered and delivered."""
        while (lane := self._lanes.get(conversation)) and lane.task:
            await asyncio.wait([lane.task])

    def owe(self, owed: Sequence[Owed]) -> None:
        """Deliver what is owed for another reason than a message. What an adapter is owed that
        does not run waits for it.
        """
        for each in filter(self._outbox.reaches, owed):
            lane = self._lane(each.to.conversation)
            lane.owed.append(each)
            self._serve(each.to.conversation, lane)

    async def withdraw(self, conversation: ConversationId, question_id: str) -> None:
        """Answer a question no more; see bot.ports.Core."""
        turn = await self._store.insist(questions.withdraw, conversation, question_id)
        if turn is None:
            return
        lane = self._lanes.get(conversation)
        if lane:
            lane.messages = [each for each in lane.messages if each.question_id != question_id]
        if turn:
            self._conversation.stop(conversation, turn)

    async def delete(self, conversation: ConversationId) -> None:
        """Delete a conversation; see bot.ports.Core."""
        await self._store.insist(privacy.delete, conversation)
        lane = self._lanes.get(conversation)
        if lane:
            waiting = [each.to for each in lane.asked]
            waiting += [reply_to(each) for each in lane.messages if each.question_id]
            lane.asked, lane.messages = [], []
            lane.owed += [Owed(0, to, failure(FORGOTTEN)) for to in waiting]
            self._conversation.stop(conversation)

    async def move(self, adapter: str, channel: str, to: str) -> None:
        """A channel has another id; what waits under the old one comes before what is new."""
        await self._store.insist(conversations.move, adapter, channel, to)
        for where, lane in list(self._lanes.items()):
            moved = replace(where, channel=to)
            if (where.adapter, where.channel) == (adapter, channel) and moved not in self._lanes:
                self._lanes[moved] = lane
                lane.places.append(moved)

    async def resume(self, adapters: Collection[str], history: int) -> None:
        """Take up what the last run left: texts owed, answers owed, messages not answered."""
        for owed in await self._store.do(outbox.owed, adapters):
            self._lane(owed.to.conversation).owed.append(owed)
        for asked in await self._store.do(turns.asking, adapters, history):
            self._lane(asked.to.conversation).asked.append(asked)
        for message in await self._store.do(inbox.waiting, adapters):
            self._lane(message.conversation).messages.append(message)
        if self._lanes:
            log.info("resuming", conversations=len(self._lanes))
        for where, lane in self._lanes.items():
            self._serve(where, lane)

    async def close(self, seconds: float) -> None:
        """Give what runs so many seconds to end; what does not is left for the next start."""
        self._closing = True
        await asyncio.gather(*self._receiving, return_exceptions=True)
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("answers ended", finished=len(tasks) - len(late), left=len(late))

    async def _receive(self, message: IncomingMessage) -> Receipt:
        person = replace(message.person, name=storable(message.person.name))
        text, origin = storable(message.text), storable(message.origin)
        rank = self._access.rank(person.id)
        if rank is Rank.OPERATOR and not text.strip() and is_data(message.attachments):
            text = "/finetune prepare"  # an operator who drops a table into the chat
        message = replace(message, person=person, text=text, origin=origin)
        if rank is Rank.STRANGER:
            return await self._refuse(message, AccessDenied(stranger_sentence(person)))
        now, stops = self._clock.now(), at_once(message.text)
        if not self._access.has_room(person.id, now) and not stops:
            return await self._refuse(message, TooFast(rate_sentence(now)))
        with self._under_way(message.conversation) as alone:
            if alone and self._is_plain(message):
                new = await self._begin(message, now)
            else:
                new = await self._queue(message, now, stops=stops)
        if new:
            self._access.count(person.id, now)
        return Receipt.ACCEPTED if new else Receipt.DUPLICATE

    @contextmanager
    def _under_way(self, where: ConversationId) -> Iterator[bool]:
        """A block in which a message is committed; whether nothing comes before it there."""
        alone = where not in self._lanes and not self._taking[where]
        self._taking[where] += 1
        try:
            yield alone
        finally:
            self._taking[where] -= 1
            if not self._taking[where]:
                del self._taking[where]

    def _is_plain(self, message: IncomingMessage) -> bool:
        """Whether nothing is to be looked at before a message is answered but its text."""
        more = message.attachments or message.question_id or message.profile
        return not (more or is_command(message.text) or self._access.budget)

    async def _begin(self, message: IncomingMessage, now: float) -> bool:
        """Take a message in and owe its answer, in one step; False if it was seen before."""
        most = self._services.profiles.history
        asked = await self._store.do(turns.begin_at_once, message, most, now)
        if asked:
            lane = self._lane(message.conversation)
            lane.asked.append(asked)
            self._serve(message.conversation, lane)
        return asked is not None

    async def _queue(self, message: IncomingMessage, now: float, *, stops: bool) -> bool:
        """Take a message in to wait for its turn; False if it was seen before."""
        received = await self._store.do(inbox.take_in, message, now)
        if received is None:
            if (message.conversation, message.question_id) in self._left:
                raise StoreError(LEFT)
            return False
        owed = await self._command(received) if stops else None
        lane = self._lane(received.conversation)  # nothing is awaited from here on
        if owed is None:
            insort(lane.messages, received)
        else:
            lane.owed += owed
        self._serve(received.conversation, lane)
        return True

    async def _refuse(self, message: IncomingMessage, reason: AccessDenied | TooFast) -> Receipt:
        """Keep nothing of a message but its keys, and say why: a stranger is told once, others once
        a minute. Who asks a question gets the reason itself, and may ask it again.
        """
        if message.question_id:
            raise reason
        stranger, now = isinstance(reason, AccessDenied), self._clock.now()
        sentence = "" if self._access.was_told(message.person.id) else str(reason)
        new, owed = await self._store.do(outbox.refuse, message, sentence, now, stranger=stranger)
        if owed:
            self._access.note_told(message.person.id)
            lane = self._lane(message.conversation)
            lane.owed.append(owed)
            self._serve(message.conversation, lane)
        return Receipt.REFUSED if new else Receipt.DUPLICATE

    def _lane(self, where: ConversationId) -> Lane:
        if where not in self._lanes:
            self._lanes[where] = Lane([where])
        return self._lanes[where]

    def _serve(self, where: ConversationId, lane: Lane) -> None:
        """Have a lane emptied, unless that is going on."""
        if lane.task is None and not self._closing:
            name = f"serve {where.adapter}:{where.channel}:{where.thread}"
            lane.task = asyncio.create_task(self._empty(where, lane), name=name)

    async def _empty(self, where: ConversationId, lane: Lane) -> None:
        """Do what a conversation waits for, one after the other."""
        with bound_contextvars(conversation=f"{where.adapter}:{where.channel}:{where.thread}"):
            while not self._closing and (lane.owed or lane.asked or lane.messages):
                try:
                    await self._next(lane)
                except StoreError as error:
                    log.error("left for the next start", reason=str(error))  # noqa: TRY400  no bug
                except Exception:
                    log.exception("left for the next start")
        for place in lane.places:
            del self._lanes[place]

    async def _next(self, lane: Lane) -> None:
        if lane.owed:
            await self._outbox.deliver(lane.owed.pop(0))
        elif lane.asked:
            await self._conversation.resume(lane.asked.pop(0))
        elif is_command(lane.messages[0].text):
            lane.owed += await self._command(lane.messages.pop(0))
        else:
            batch = together(lane.messages)
            del lane.messages[: len(batch)]
            lane.owed += await self._answer(batch)

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

    async def _command(self, message: Received) -> list[Owed]:
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

    async def _give_up(self, message: Received) -> None:
        """Tell who waits for what is said to a question that nothing will be, until a restart."""
        if message.question_id:
            self._left.add((message.conversation, message.question_id))
            await self._outbox.give_up(reply_to(message))

    async def _done(self, messages: Sequence[Received], card: Card | None) -> list[Owed]:
        """Messages are dealt with; a card about them is owed."""
        return await self._store.insist(outbox.answer, messages, card)


def reply_to(message: Received) -> ReplyTo:
    """Where a message is answered for which there is nothing stored any more."""
    key = f"message-{message.id}"
    return ReplyTo(message.conversation, key, message.origin, message.person.id)


def failure(sentence: str) -> Card:
    """Why somebody gets no answer, for them alone."""
    return Card(sentence, private=True, failed=True)


def together(messages: Sequence[Received]) -> list[Received]:
    """The first messages that are answered as one turn; a question is by itself."""
    if messages[0].question_id:
        return [messages[0]]
    return list(takewhile(lambda m: not (is_command(m.text) or m.question_id), messages))


def storable(text: str) -> str:
    """A text without what no database and no model takes: NUL, and halves of surrogate pairs."""
    return UNSTORABLE.sub("\ufffd", text)


def at_once(text: str) -> bool:
    """Whether a message is a command that does not wait for the answer that runs."""
    try:
        return is_command(text) and called(text)[0].at_once
    except CommandError:
        return False
