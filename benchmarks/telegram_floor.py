"""The least that can be called a streaming Telegram bot: nothing on disk, nothing that survives.

    TELEGRAM_BOT_TOKEN=… python -m benchmarks.telegram_floor API_URL BASE_URL

What it costs is the floor for `benchmarks.telegram`. A crash loses everything, a lost connection an
answer, and a long answer has no end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict, deque
from contextlib import suppress

from telegram import Message, Update
from telegram.error import RetryAfter
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from benchmarks.floor_model import streamed

PAUSE = 1.0  # seconds between two previews
histories: defaultdict[int, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=50))


async def answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Ask the model, show what it says, and remember it."""
    message = update.message
    assert isinstance(message, Message)
    history, text, shown = histories[message.chat_id], "", -PAUSE
    history.append({"role": "user", "content": message.text or ""})
    async for token in streamed(sys.argv[2], history):
        text += token
        if text and time.monotonic() - shown > PAUSE:
            shown = time.monotonic()
            with suppress(RetryAfter):
                await context.bot.send_message_draft(message.chat_id, message.message_id, text)
    history.append({"role": "assistant", "content": text})
    await send(message, text)


async def send(message: Message, text: str) -> None:
    """Send the beginning of a text, as soon as Telegram takes it."""
    while True:
        try:
            await message.reply_text(text[:4096])
        except RetryAfter as refused:
            wait = refused.retry_after
            await asyncio.sleep(wait if isinstance(wait, int) else wait.total_seconds())
        else:
            return


def main() -> None:
    """Poll until the process is ended."""
    api_url, token = sys.argv[1], os.environ["TELEGRAM_BOT_TOKEN"]
    app = (
        Application.builder()
        .token(token)
        .base_url(f"{api_url}/bot")
        .concurrent_updates(True)
        .connection_pool_size(256)
        .build()
    )
    app.add_handler(MessageHandler(filters.TEXT, answer))
    app.run_polling()


if __name__ == "__main__":
    main()
