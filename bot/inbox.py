"""Every message enters here: committed, deduplicated, in order for its conversation."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import structlog

from bot import metrics
from bot.access import Rank
from bot.commands import Services, called, is_command
from bot.commands.finetune.data import is_data
from bot.dispatch import Dispatch, forgotten
from bot.errors import AccessDenied, CommandError, StoreError, TooFast
from bot.lanes import Lanes
from bot.messages import ConversationId, IncomingMessage, Receipt
from bot.outbox import Outbox
from bot.store import answers, conversations, inbox, outbox, privacy, questions
from bot.store.outbox import Owed
from bot.voice import Voice

LEFT = "The database failed while this was answered: the next start of tunebot answers it."
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

log = structlog.get_logger()


class Inbox:
    """Takes messages in and has them answered: one at a time in a conversation, side by side
    across them.
    """

    def __init__(self, services: Services, outbox: Outbox, voice: Voice) -> None:
        self._outbox = outbox
        self._store = services.store
        self._conversation = services.conversation
        self._profiles = services.profiles
        self._access = services.access
        self._clock = services.clock
        self._dispatch = Dispatch(services, outbox, voice)
        self._lanes = Lanes(self._dispatch.first)
        self._receiving: set[asyncio.Task[Receipt]] = set()
        self._taking: Counter[ConversationId] = Counter()

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
        await self._lanes.idle(conversation)

    def owe(self, owed: Sequence[Owed]) -> None:
        """Deliver what is owed for another reason than a message. What an adapter is owed that
        does not run waits for it.
        """
        for each in filter(self._outbox.reaches, owed):
            self._lanes.add(each.to.conversation, owed=[each])

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
            lane.owed += forgotten(lane)
            lane.asked, lane.messages = [], []
            self._conversation.stop(conversation)

    async def move(self, adapter: str, channel: str, to: str) -> None:
        """A channel has another id; what waits under the old one comes before what is new."""
        await self._store.insist(conversations.move, adapter, channel, to)
        self._lanes.move(adapter, channel, to)

    async def resume(self, adapters: Collection[str], history: int) -> None:
        """Take up what the last run left: texts owed, answers owed, messages not answered."""
        owed = await self._store.do(outbox.owed, adapters)
        asked = await self._store.do(answers.asking, adapters, history)
        waiting = await self._store.do(inbox.waiting, adapters)
        for text in owed:  # nothing is awaited from here on: all of it is there before any begins
            self._lanes.add(text.to.conversation, owed=[text])
        for answer in asked:
            self._lanes.add(answer.to.conversation, asked=[answer])
        for message in waiting:
            self._lanes.add(message.conversation, messages=[message])
        if self._lanes:
            log.info("resuming", conversations=len(self._lanes))

    async def close(self, seconds: float) -> None:
        """Give what runs so many seconds to end; what does not is left for the next start."""
        self._lanes.close()
        await asyncio.gather(*self._receiving, return_exceptions=True)
        await self._lanes.end(seconds)

    async def _receive(self, message: IncomingMessage) -> Receipt:
        person = replace(message.person, name=storable(message.person.name))
        text, origin = storable(message.text), storable(message.origin)
        operates = self._access.rank(person.id) is Rank.OPERATOR
        if operates and not text.strip() and is_data(message.attachments):
            text = "/finetune prepare"  # an operator who drops a table into the chat
        message = replace(message, person=person, text=text, origin=origin)
        now, stops = self._clock.now(), at_once(text)
        try:
            self._access.admit(person, now, at_once=stops)
        except (AccessDenied, TooFast) as reason:
            return await self._refuse(message, reason)
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
        alone = self._lanes.get(where) is None and not self._taking[where]
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
        most = self._profiles.history
        asked = await self._store.do(answers.begin_at_once, message, most, now)
        if asked:
            self._lanes.add(message.conversation, asked=[asked])
        return asked is not None

    async def _queue(self, message: IncomingMessage, now: float, *, stops: bool) -> bool:
        """Take a message in to wait for its turn; False if it was seen before."""
        received = await self._store.do(inbox.take_in, message, now)
        if received is None:
            if self._dispatch.was_left(message.conversation, message.question_id):
                raise StoreError(LEFT)
            return False
        if stops:
            self._lanes.add(message.conversation, owed=await self._dispatch.command(received))
        else:
            self._lanes.add(message.conversation, messages=[received])
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
            self._lanes.add(message.conversation, owed=[owed])
        return Receipt.REFUSED if new else Receipt.DUPLICATE


def storable(text: str) -> str:
    """A text without what no database and no model takes: NUL, and halves of surrogate pairs."""
    return UNSTORABLE.sub("\ufffd", text)


def at_once(text: str) -> bool:
    """Whether a message is a command that does not wait for the answer that runs."""
    try:
        return is_command(text) and called(text)[0].at_once
    except CommandError:
        return False
