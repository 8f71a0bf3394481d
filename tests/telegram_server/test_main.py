"""A bot can be tried in front of this Telegram by hand."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

from telegram import Bot


async def test_person_at_the_keyboard_talks_with_a_bot() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.telegram_server", "--port", "0"), stdin=PIPE, stdout=PIPE
    )
    assert program.stdin
    assert program.stdout
    token = (await program.stdout.readline()).decode().strip().partition("=")[2]
    assert await program.stdout.readline() == b"[adapters.telegram]\n"
    url = (await program.stdout.readline()).decode().split('"')[1]
    async with Bot(token, base_url=f"{url}/bot") as bot:
        program.stdin.write(b"Hello\n")
        (update,) = await bot.get_updates(timeout=10)
        assert update.message
        await bot.send_message_draft(7, 1, "Hel")
        assert await program.stdout.readline() == b"[Hel]\n"
        await bot.send_message(7, f"{update.message.text}!")
        assert await program.stdout.readline() == b"Hello!\n"
    program.stdin.close()
    assert await program.wait() == 0
