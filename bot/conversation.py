"""One turn: remember, ask, stream, remember."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

import structlog

from bot import metrics
from bot.access import Access
from bot.errors import BotError, ContextTooLong, StoreBusy, StoreFull
from bot.messages import Chunk, ConversationId, Ending, Price, Profile, Usage
from bot.models.prices import cost
from bot.models.profiles import Profiles
from bot.models.slots import Slots
from bot.models.tokens import Tokens
from bot.outbox import Outbox
from bot.ports import Adapter, Clock, ModelClient, Sink
from bot.recall import Recall
from bot.reply import Reply
from bot.segments import closing, open_fence
from bot.store import Store, turns, usage
from bot.store.inbox import Received
from bot.store.outbox import Owed
from bot.store.turns import Answer, Asked

# What is added to an answer that did not end by itself; it is shown, and not remembered.
MARKS = {
    Ending.LENGTH: "_(cut at the length limit; /continue goes on)_",
    Ending.STOPPED: "_(stopped)_",
    Ending.FILTERED: "_(cut by the provider's content filter)_",
}
SHORTENED = "_(This conversation is longer than the model takes: it no longer sees the beginning.)_"
EMPTY = "The model gave an empty answer; /retry asks it again."
ENDINGS = {"length": Ending.LENGTH, "content_filter": Ending.FILTERED}

log = structlog.get_logger()


class Running:
    """A turn that runs in a conversation, and the way to stop it."""

    def __init__(self) -> None:
        self.turn = 0
        self.stopped = False
        self._scope: asyncio.Timeout | None = None

    def stop(self) -> None:
        """End the model call now; what was said stays."""
        if self._scope and not self.stopped:
            self._scope.reschedule(asyncio.get_running_loop().time())
        self.stopped = True

    @asynccontextmanager
    async def stoppable(self) -> AsyncIterator[None]:
        """A block that `stop` ends quietly."""
        try:
            async with asyncio.timeout(0 if self.stopped else None) as self._scope:
                yield
        except TimeoutError:
            if not self.stopped:
                raise
        finally:
            self._scope = None


class Conversation:
    """Answers turns."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        adapters: Mapping[str, Adapter],
        model: ModelClient,
        profiles: Profiles,
        tokens: Tokens,
        prices: Mapping[str, Price],
        access: Access,
        clock: Clock,
        slots: Slots,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._adapters = adapters
        self._model = model
        self._profiles = profiles
        self._tokens = tokens
        self._prices = prices
        self._access = access
        self._clock = clock
        self._slots = slots
        self._recall = Recall(store, model, tokens, prices, clock)
        self._running: dict[ConversationId, Running] = {}

    async def answer(self, messages: Sequence[Received]) -> bool:
        """Answer messages, together, as the next turn; False when all were forgotten meanwhile.

        Raises TooFast over the budget.
        """
        return await self._begin(
            messages[-1], lambda most, now: self._store.insist(turns.begin, messages, most, now)
        )

    async def retry(self, message: Received) -> None:
        """Ask the last question again. Raises CommandError when there is none, or TooFast."""
        await self._begin(
            message, lambda most, now: self._store.insist(turns.ask_again, message, most, now)
        )

    async def go_on(self, message: Received) -> None:
        """Ask for the rest of a cut answer. Raises CommandError when there is none, or TooFast."""
        await self._begin(
            message, lambda most, now: self._store.insist(turns.go_on, message, most, now)
        )

    async def resume(self, asked: Asked) -> None:
        """Answer what a crash or a shutdown left owed."""

        async def begun() -> Asked:
            return asked

        await self._turn(asked.to.conversation, begun())

    def stop(self, where: ConversationId, turn: int = 0) -> bool:
        """Stop the answer that runs in a conversation, or only that of a turn; False when none
        does.
        """
        running = self._running.get(where)
        if running is None or turn not in {0, running.turn}:
            return False
        running.stop()
        return True

    async def _begin(
        self, message: Received, owe: Callable[[int, float], Awaitable[Asked | None]]
    ) -> bool:
        """Owe an answer within the budget of who wrote `message`, and give it."""
        await require_budget(self._store, self._access, message.person.id, self._clock.now())
        begun = owe(self._profiles.history, self._clock.now())
        return await self._turn(message.conversation, begun)

    async def _turn(self, where: ConversationId, begun: Awaitable[Asked | None]) -> bool:
        """From an owed answer to a delivered one."""
        self._running[where] = running = Running()
        try:
            asked = await begun
            if asked is None:
                return False
            running.turn = asked.turn
            sink = self._adapters[where.adapter].sink(asked.to)
            try:
                owed = await self._ask(asked, sink, running)
            except BaseException:  # a shutdown: the next start answers
                await sink.close()
                raise
        finally:
            del self._running[where]
        await self._outbox.deliver(owed, sink)
        return True

    async def _ask(self, asked: Asked, sink: Sink, running: Running) -> Owed:
        """Let the answer grow, store it, and owe its text."""
        profile = self._profiles.chosen(asked.settings.profile, asked.settings.system)

        async def remember(handles: Sequence[str]) -> None:
            await self._store.insist(turns.shown, asked.turn, handles)

        limits = self._adapters[asked.to.conversation.adapter].limits
        async with Reply(sink, limits, self._clock, asked.handles, remember) as reply:
            call = Call(self._recall, self._model, asked, profile, reply)
            answer = await self._until_ended(call, running)
        log.info(
            "answered",
            turn=asked.turn,
            profile=profile.name,
            ending=answer.ending.value,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
        )
        metrics.answers.labels(profile.name, answer.ending).inc()
        metrics.tokens.labels(profile.name, "prompt").inc(answer.usage.prompt_tokens)
        metrics.tokens.labels(profile.name, "completion").inc(answer.usage.completion_tokens)
        text = as_shown(answer, shortened=call.shortened)
        finish = (asked, answer, text, reply.handles, self._clock.now())
        try:
            return await self._store.do(turns.finish, *finish)
        except (StoreBusy, StoreFull) as error:
            await reply.tell(str(error))
            return await self._store.insist(turns.finish, *finish)

    async def _until_ended(self, call: Call, running: Running) -> Answer:
        """Every way in which an answer may end."""
        ending, reason = Ending.WHOLE, ""
        try:
            async with running.stoppable(), self._slot(call):
                await call.stream()
            if running.stopped:
                ending = Ending.STOPPED
        except BotError as error:
            reason = str(error)
            metrics.model_errors.labels(call.profile.provider, type(error).__name__).inc()
        except Exception:
            reason = apology("answering failed")
        if reason:
            ending = Ending.BROKEN if call.reply.text.strip() else Ending.FAILED
        return await self._ended(call, ending, reason)

    @asynccontextmanager
    async def _slot(self, call: Call) -> AsyncIterator[None]:
        """A place among the calls of a provider. Who waits for one keeps no history in memory."""
        slot = self._slots[call.profile.provider]
        waits = slot.locked()
        if waits:
            call.asked.turns = ()
        async with slot:
            if waits:
                most = self._profiles.history
                call.asked.turns = await self._store.insist(turns.reread, call.asked, most)
            with metrics.model_calls.track_inprogress():
                yield

    async def _ended(self, call: Call, ending: Ending, reason: str) -> Answer:
        """The answer that a call gave, with what it used and cost."""
        text, profile = call.reply.text, call.profile
        if ending is Ending.WHOLE:
            ending = ENDINGS.get(call.last.finish, ending)
        if not text.strip() and ending is not Ending.STOPPED:
            ending, text = Ending.FAILED, reason or EMPTY
        used = call.last.usage
        if used is None and text and ending in (Ending.STOPPED, Ending.BROKEN):
            used = await self._tokens.used(call.body, text)
        used = used or Usage()
        price = cost(self._prices, profile.model, used)
        return Answer(text, ending, reason, profile.model, used, price)


class Call:
    """One question to a model: what was sent, and how far the answer came."""

    def __init__(
        self, recall: Recall, model: ModelClient, asked: Asked, profile: Profile, reply: Reply
    ) -> None:
        self.asked = asked
        self.profile = profile
        self.reply = reply
        self.body: dict[str, Any] = {}
        self.last = Chunk()
        self.shortened = False
        self._recall = recall
        self._model = model

    async def stream(self) -> None:
        """Let the reply grow to its end; a conversation over the window is shortened once."""
        self.body = await self._recall.body(self.asked, self.profile)
        try:
            await self._stream()
        except ContextTooLong as refusal:
            shorter = await self._recall.shorter(self.asked, self.profile, self.body, refusal)
            if shorter == self.body:
                raise
            self.body, self.shortened = shorter, True
            await self._stream()

    async def _stream(self) -> None:
        name, start = self.profile.name, perf_counter()
        # The rest of a cut answer does not begin as an answer does.
        profile = replace(self.profile, answer_prefix="") if self.asked.go_on else self.profile
        async with aclosing(self._model.stream(profile, self.body)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    if not self.reply.text:
                        metrics.first_token.labels(name).observe(perf_counter() - start)
                    self.reply.grow(chunk.text)
                elif chunk.waiting:
                    self.reply.wait(f"_{chunk.waiting}_")
                self.last = chunk
        metrics.answer_time.labels(name).observe(perf_counter() - start)


async def require_budget(store: Store, access: Access, person: str, now: float) -> None:
    """Raise TooFast when a person has used the tokens of the day."""
    if access.budget:
        used = await store.insist(usage.of_person, person, usage.day_of(now))
        access.require_budget(used.prompt_tokens + used.completion_tokens)


def as_shown(answer: Answer, *, shortened: bool) -> str:
    """An answer's text with a mark where it did not end by itself."""
    broken = f"_({answer.reason})_" if answer.ending is Ending.BROKEN else ""
    marks = [broken or MARKS.get(answer.ending, ""), SHORTENED if shortened else ""]
    said = answer.text + closing(open_fence(answer.text)) if any(marks) else answer.text
    return "\n\n".join(filter(None, [said, *marks]))


def apology(event: str) -> str:
    """Log the bug that is being handled and return what the person is told of it."""
    reference = secrets.token_hex(4)
    log.exception(event, reference=reference)
    return f"Something went wrong on my side; it is logged as {reference}. /retry asks again."
