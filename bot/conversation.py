"""One turn: remember, ask, stream, remember."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from bot import metrics
from bot.access import Access
from bot.call import ModelCall
from bot.errors import BotError, StoreBusy, StoreFull
from bot.messages import ConversationId, Ending, Price, Usage
from bot.models.prices import cost
from bot.models.profiles import Profiles
from bot.models.slots import Slots
from bot.models.tokens import Tokens
from bot.outbox import Outbox
from bot.ports import Adapter, Clock, ModelClient, Sink
from bot.recall import Recall
from bot.reply import Reply
from bot.running import Running
from bot.segments import closing, open_fence
from bot.store import Store, answers
from bot.store.answers import Answer, Asked
from bot.store.inbox import Received
from bot.store.outbox import Owed

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
            messages[-1], lambda most, now: self._store.insist(answers.begin, messages, most, now)
        )

    async def retry(self, message: Received) -> None:
        """Ask the last question again. Raises CommandError when there is none, or TooFast."""
        await self._begin(
            message, lambda most, now: self._store.insist(answers.ask_again, message, most, now)
        )

    async def go_on(self, message: Received) -> None:
        """Ask for the rest of a cut answer. Raises CommandError when there is none, or TooFast."""
        await self._begin(
            message, lambda most, now: self._store.insist(answers.go_on, message, most, now)
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
        await self._access.require_budget(message.person.id, self._clock.now())
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
            await self._store.insist(answers.shown, asked.turn, handles)

        limits = self._adapters[asked.to.conversation.adapter].limits
        async with Reply(sink, limits, self._clock, asked.handles, remember) as reply:
            call = ModelCall(self._recall, self._model, asked, profile, reply)
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
            return await self._store.do(answers.finish, *finish)
        except (StoreBusy, StoreFull) as error:
            await reply.tell(str(error))
            return await self._store.insist(answers.finish, *finish)

    async def _until_ended(self, call: ModelCall, running: Running) -> Answer:
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
    async def _slot(self, call: ModelCall) -> AsyncIterator[None]:
        """A place among the calls of a provider. Who waits for one keeps no history in memory."""
        slot = self._slots[call.profile.provider]
        waits = slot.locked()
        if waits:
            call.asked.turns = ()
        async with slot:
            if waits:
                most = self._profiles.history
                call.asked.turns = await self._store.insist(answers.reread, call.asked, most)
            with metrics.model_calls.track_inprogress():
                yield

    async def _ended(self, call: ModelCall, ending: Ending, reason: str) -> Answer:
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
