"""Everything said leaves here: a final text, a card or a notice is delivered or still owed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import count

import structlog

from bot import metrics
from bot.errors import DeliveryError, DeliveryRefused, StoreError
from bot.messages import ReplyTo
from bot.ports import Adapter, Clock, Sink
from bot.segments import Segments
from bot.store import Store, outbox
from bot.store.outbox import Owed

FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0  # seconds, without the jitter
ABSURD = 48 * 3600.0  # seconds that no platform asks to wait: the clock was wrong
MOST_BUGS = 5  # tries of a delivery that fails by a bug

log = structlog.get_logger()


class Outbox:
    """Delivers what is owed. Who calls it keeps the order of a conversation: see bot.lanes."""

    def __init__(self, store: Store, adapters: Mapping[str, Adapter], clock: Clock) -> None:
        self._store = store
        self._adapters = adapters
        self._clock = clock

    async def deliver(self, owed: Owed, sink: Sink | None = None) -> None:
        """Return when the platform has taken a text or refused it for good.

        `sink` is the writer that showed its progress, if there was one.
        """
        if owed.card.board:
            found = await self._store.insist(outbox.with_board, owed)
            if found is None:
                return await self.give_up(owed.to)
            owed = found
        where = owed.to.conversation
        depth = metrics.outbox_depth.labels(where.adapter)
        with depth.track_inprogress():
            sink = sink or self._adapters[where.adapter].sink(owed.to)
            try:
                await self._insist(owed, sink)
            finally:
                await sink.close()

    def reaches(self, owed: Owed) -> bool:
        """Whether the adapter runs to which something is owed."""
        return owed.to.conversation.adapter in self._adapters

    async def give_up(self, to: ReplyTo) -> None:
        """End a reply to which nothing will be said."""
        await self._adapters[to.conversation.adapter].sink(to).close()

    async def _insist(self, owed: Owed, sink: Sink) -> None:
        """Try until it is settled, with growing waits or those that the platform asks for."""
        where = owed.to.conversation.adapter
        delivery = Delivery(owed, sink, self._adapters[where], self._store)
        left = max(0.0, owed.due - self._clock.now())
        await self._clock.sleep(left if left < ABSURD else LONGEST_RETRY)
        for attempts in count(owed.attempts + 1):
            wait = await self._attempt(delivery, attempts)
            if wait is None:
                break
            metrics.delivery_retries.labels(where).inc()
            log.info("delivery waits", key=owed.to.key, seconds=round(wait, 1))
            due = self._clock.now() + wait
            await self._store.insist(outbox.postpone, owed.id, attempts, due)
            await self._clock.sleep(wait)
        await self._store.insist(outbox.settle, owed.id, delivery.handles)

    async def _attempt(self, delivery: Delivery, attempts: int) -> float | None:
        """Try once; returns the seconds to wait before the next try, None when it is settled."""
        try:
            await delivery.attempt()
        except DeliveryRefused as error:
            log.warning("delivery refused", reason=str(error))
        except DeliveryError as error:
            return error.retry_after if error.retry_after is not None else backoff(attempts)
        except StoreError:
            raise
        except Exception:  # a bug of an adapter may not hold up its conversation forever
            log.exception("delivery failed", attempts=attempts)
            delivery.bugs += 1
            return backoff(attempts) if delivery.bugs < MOST_BUGS else None
        return None


class Delivery:
    """One text on its way: which of its parts stand already."""

    def __init__(self, owed: Owed, sink: Sink, adapter: Adapter, store: Store) -> None:
        self.handles = list(owed.handles)
        self.bugs = 0
        self._owed = owed
        self._sink = sink
        self._parts = Segments(adapter.limits).of(owed.card.text)
        self._store = store
        self._finished = 0
        self._attached = owed.card.document is None

    async def attempt(self) -> None:
        """Finish the parts that do not stand yet. Raises DeliveryError where one was not taken."""
        card, last = self._owed.card, len(self._parts) - 1
        for part in range(self._finished, len(self._parts)):
            known = self.handles[part : part + 1]
            handle = await self._sink.finish(
                part,
                self._parts[part],
                "".join(known),
                failed=card.failed,
                buttons=card.buttons if part == last else (),
            )
            self.handles[part : part + 1] = [handle]
            self._finished = part + 1
            if not known and (self._finished < len(self._parts) or not self._attached):
                await self._store.insist(outbox.shown, self._owed.id, self.handles)
        while len(self.handles) > len(self._parts):  # a longer text was half shown before a crash
            await self._sink.retract(self.handles[-1])
            self.handles.pop()
        if not self._attached and self._owed.card.document:
            await self._sink.attach(self._owed.card.document)
            self._attached = True


def backoff(attempts: int) -> float:
    """Seconds before the next try: doubling up to five minutes, jittered by a quarter."""
    wait = min(FIRST_RETRY * 2 ** min(attempts - 1, 10), LONGEST_RETRY)
    return float(wait * random.uniform(0.75, 1.25))
