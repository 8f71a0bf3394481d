"""Standard input that is not a terminal: commands, then one message."""

from __future__ import annotations

import asyncio
import os
from typing import TextIO

from adapters.terminal.output import Output
from adapters.terminal.speaker import Speaker
from bot.errors import BotError

MOST = 1024 * 1024
"""Bytes that are read from a pipe. Far more than any model's window; less than hurts."""


async def ask(speaker: Speaker, stdin: TextIO, output: Output) -> None:
    """Say what was piped in, each message after the answer to the one before it.

    Raises BotError with the sentences about what could not be read or was not answered.
    """
    try:
        content = await read(stdin.fileno(), MOST + 1)
    except OSError as error:
        raise BotError(f"Standard input could not be read: {error.strerror}.") from None
    if len(content) > MOST:
        raise BotError(f"Standard input has more than {MOST // 1024} KiB: send less at a time.")
    said = messages(content.decode("utf-8-sig", "replace"))
    if not said:
        raise BotError("Nothing was piped in: write a question, or start this in a terminal.")
    for message in said:
        if await speaker.says(message):
            await speaker.answered()
        else:
            output.failures.append("Not everything was taken: send it again.")
        if output.closed:
            return
    if output.failures:
        raise BotError("\n".join(output.failures))


def messages(text: str) -> list[str]:
    """Every "/" line at the beginning by itself, then all the rest as one message."""
    rest = text.strip()
    found = []
    while rest.startswith("/"):
        command, _, rest = rest.partition("\n")
        found.append(command.rstrip())
        rest = rest.lstrip()
    return [*found, rest] if rest else found


async def read(descriptor: int, most: int) -> bytes:
    """Everything up to the end, or the first `most` bytes. Waiting for it can be cancelled."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
        sleeps = True
    except PermissionError:  # a file or /dev/null: always ready, and nothing to wait on
        ready.set()
        sleeps = False
    content = b""
    try:
        while len(content) < most:
            await ready.wait()
            piece = os.read(descriptor, most - len(content))
            if not piece:
                break
            content += piece
            if sleeps:
                ready.clear()
    finally:
        if sleeps:
            loop.remove_reader(descriptor)
    return content
