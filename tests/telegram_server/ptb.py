"""The real python-telegram-bot as the server's client."""

from __future__ import annotations

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.telegram_server.server import TelegramServer


def client(server: TelegramServer) -> Bot:
    """A client of the server."""
    base = server.api_url
    return Bot(server.token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot")


def keyboard(label: str, data: str) -> InlineKeyboardMarkup:
    """One button."""
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)]])
