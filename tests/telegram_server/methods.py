"""The methods of the Bot API that concern the bot itself, its updates and files."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.telegram_server.updates import Webhook
from tests.telegram_server.values import Json, Parameters, Refused

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

MOST_DOWNLOAD = 20 * 1024**2
COMMAND = re.compile("[a-z0-9_]{1,32}")
Method = Callable[["TelegramServer", Parameters], "Any | Awaitable[Any]"]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register a method of the Bot API."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


@method("getMe")
def get_me(telegram: TelegramServer, _: Parameters) -> Json:
    """Who the bot is."""
    return {
        **telegram.bot.json(),
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
    }


@method("getUpdates")
async def get_updates(telegram: TelegramServer, given: Parameters) -> str:
    """Long polling."""
    updates = telegram.updates
    updates.allow(given.get("allowed_updates"))
    limit, seconds = given.get("limit", 100), given.get("timeout", 0)
    telegram.change()
    return await updates.poll(given.get("offset", 0), limit, seconds)


@method("setWebhook")
async def set_webhook(telegram: TelegramServer, given: Parameters) -> bool:
    """Post updates from now on."""
    telegram.updates.allow(given.get("allowed_updates"))
    if given.get("drop_pending_updates"):
        telegram.updates.waiting.clear()
    await telegram.updates.deliver_to(Webhook(given["url"], given.get("secret_token", "")))
    return True


@method("deleteWebhook")
async def delete_webhook(telegram: TelegramServer, given: Parameters) -> bool:
    """Let the bot poll again."""
    if given.get("drop_pending_updates"):
        telegram.updates.waiting.clear()
    await telegram.updates.deliver_to(Webhook())
    return True


@method("getWebhookInfo")
def get_webhook_info(telegram: TelegramServer, _: Parameters) -> Json:
    """Where updates go, and how many wait."""
    webhook = telegram.updates.webhook
    info: Json = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(telegram.updates.waiting),
    }
    if webhook.last_error:
        info |= {"last_error_message": webhook.last_error, "last_error_date": int(telegram.now())}
    return info


@method("setMyCommands")
def set_my_commands(telegram: TelegramServer, given: Parameters) -> bool:
    """What the menu of a scope lists in a language."""
    for command in given["commands"]:
        name, description = command["command"], command["description"]
        if not COMMAND.fullmatch(name):
            raise Refused("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
    if len(given["commands"]) > 100:
        raise Refused("BOT_COMMANDS_TOO_MUCH")
    telegram.commands[menu(given)] = given["commands"]
    return True


@method("deleteMyCommands")
def delete_my_commands(telegram: TelegramServer, given: Parameters) -> bool:
    """A scope has no menu of its own any more."""
    telegram.commands.pop(menu(given), None)
    return True


@method("getMyCommands")
def get_my_commands(telegram: TelegramServer, given: Parameters) -> list[Json]:
    """What the menu of a scope lists in a language."""
    return telegram.commands.get(menu(given), [])


def menu(given: Parameters) -> tuple[str, int, str]:
    """Which menu is meant."""
    scope = given.get("scope") or {"type": "default"}
    return scope["type"], scope.get("chat_id", 0), given.get("language_code", "")


@method("getFile")
def get_file(telegram: TelegramServer, given: Parameters) -> Json:
    """Where a file can be fetched."""
    file = telegram.files.get(given["file_id"])
    if not file:
        raise Refused("invalid file_id")
    if len(file.content) > MOST_DOWNLOAD:
        raise Refused("file is too big")
    return {
        "file_id": file.id,
        "file_unique_id": f"unique-{file.id}",
        "file_size": len(file.content),
        "file_path": f"{file.kind}s/{file.id}",
    }


@method("answerCallbackQuery")
def answer_callback_query(telegram: TelegramServer, given: Parameters) -> bool:
    """Tell the one who pressed a button."""
    answer = telegram.queries.pop(given["callback_query_id"], None)
    if not answer:
        raise Refused("query is too old and response timeout expired or query ID is invalid")
    if len(given.get("text", "")) > 200:
        raise Refused("MESSAGE_TOO_LONG")
    answer.set_result(dict(given))
    return True
