"""What `tunebot check` tries at Telegram."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import User
from telegram.error import InvalidToken, TelegramError

from adapters.telegram.api import REFUSED, Api
from bot.ports import Check

PRIVACY_ON = "on: the bot sees commands, mentions and replies to it, which is all it answers"
PRIVACY_OFF = (
    "off: the bot is sent all that is said in its groups, though it answers only what is meant "
    "for it; turn it on with /setprivacy at @BotFather"
)


async def checks(name: str, api: Api, webhook: str) -> Sequence[Check]:
    """The token, what the bot may see, and the way on which messages come. `webhook` is the address
    that Telegram should call, "" for polling.
    """
    try:
        me = await api.get_me()
    except InvalidToken:
        return [Check(f"adapter {name}", works=False, found=REFUSED)]
    except TelegramError as error:
        return [Check(f"adapter {name}", works=False, found=unreachable(error))]
    account = Check(f"adapter {name}", works=True, found=f"answers as @{me.username}")
    return [account, privacy(name, me), await way(name, api, webhook)]


def privacy(name: str, me: User) -> Check:
    """What the bot sees in groups."""
    found = PRIVACY_OFF if me.can_read_all_group_messages else PRIVACY_ON
    return Check(f"{name} privacy mode", works=True, found=found)


async def way(name: str, api: Api, webhook: str) -> Check:
    """Whether messages come as they should; the next `tunebot run` sets it right."""
    what = f"{name} {'webhook' if webhook else 'polling'}"
    try:
        info = await api.get_webhook_info()
    except TelegramError as error:
        return Check(what, works=False, found=unreachable(error))
    waiting = f"{info.pending_update_count} messages wait"
    if not webhook:
        elsewhere = "; the webhook that is set now ends with the next `tunebot run`"
        return Check(what, works=True, found=waiting + (elsewhere if info.url else ""))
    if info.url != webhook:
        return Check(what, works=True, found=f"{waiting}; set by the next `tunebot run`")
    if info.last_error_message and info.pending_update_count:  # else it has been reached since
        found = f"Telegram cannot reach {webhook}: {info.last_error_message}"
        return Check(what, works=False, found=found)
    return Check(what, works=True, found=f"{waiting}; Telegram calls {webhook}")


def unreachable(error: TelegramError) -> str:
    """Why nothing is known; never the library's own words, the token may stand in them."""
    return f"Telegram does not answer ({type(error).__name__}): check api_url and the network"
