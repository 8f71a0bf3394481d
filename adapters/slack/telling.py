"""Sentences that only one person sees, about what they did."""

from __future__ import annotations

from dataclasses import replace

import structlog

from adapters.slack.account import Account
from adapters.slack.place import Place
from adapters.slack.private import PrivateSink
from bot.errors import BotError
from bot.messages import ConversationId, ReplyTo

log = structlog.get_logger()


async def tell(account: Account, place: Place, sentence: str) -> None:
    """Tell the person of a place something, also where the bot may not write. In direct messages,
    too, it does not stay. What cannot be told is logged: nothing else depends on it.
    """
    where = ConversationId(account.name, place.channel, place.thread)
    whispered = replace(place, direct=False)
    to = ReplyTo(where, "", whispered.origin(), f"{account.name}:{place.user}", private=True)
    sink = PrivateSink(account, to)
    try:
        await sink.finish(0, sentence, "", failed=True)
    except BotError as error:
        log.warning("not told", reason=str(error))
    finally:
        await sink.close()
