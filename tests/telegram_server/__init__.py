"""Telegram on the loopback: the Bot API as it behaves, and the people who write to the bot.

    async with TelegramServer() as telegram:
        ann = telegram.private(7, "Ann")
        await ann.writes("Hello")
        await ann.sees(lambda _: ann.answers == ["Hello, Ann!"])

What the limits and texts are is in facts/telegram.md; the methods' parameters are held against
Telegram's own description where it is there.
"""

from tests.faults import Drop, Hang, Raw, page
from tests.rates import Rate
from tests.telegram_server.chats import Chat
from tests.telegram_server.faults import Fail, Fault
from tests.telegram_server.limits import Limits, Quota
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.values import Draft, File, Message, Person

__all__ = [
    "Chat",
    "Draft",
    "Drop",
    "Fail",
    "Fault",
    "File",
    "Hang",
    "Limits",
    "Message",
    "Person",
    "Quota",
    "Rate",
    "Raw",
    "TelegramServer",
    "page",
]
