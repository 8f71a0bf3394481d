"""A Telegram to try a bot with, and one person in front of it.

    python -m tests.telegram_server [--port 8081] [--unlimited]

The first lines say what the bot needs. Each further line that is typed is a message of the person;
what the bot shows stands below, previews in brackets.
"""

from __future__ import annotations

import asyncio
import sys

import click

from tests.telegram_server import Chat, Limits, TelegramServer

DAY = 86_400


async def talk(port: int, *, unlimited: bool) -> None:
    """Serve until the end of standard input."""
    limits = None if unlimited else Limits()
    async with TelegramServer(port=port, limits=limits, keep_calls=False) as telegram:
        click.echo(f"export TELEGRAM_BOT_TOKEN={telegram.token}")
        click.echo(f'[adapters.telegram]\napi_url = "{telegram.api_url}"')
        chat = telegram.private(7)
        watching = asyncio.create_task(watch(chat), name="watch")
        while line := await asyncio.to_thread(sys.stdin.readline):
            await chat.writes(line.strip())
        watching.cancel()


async def watch(chat: Chat) -> None:
    """Print whatever is new in a chat."""
    printed: set[str] = set()
    while True:
        await chat.sees(lambda _: not printed.issuperset(seen(chat)), DAY)
        for line in seen(chat):
            if line not in printed:
                click.echo(line)
        printed.update(seen(chat))


def seen(chat: Chat) -> list[str]:
    """What the person reads of the bot."""
    return [*chat.answers, *([f"[{chat.draft.text}]"] if chat.draft else [])]


@click.command()
@click.option("--port", default=8081, help="Where the Bot API listens; 0 for any port.")
@click.option("--unlimited", is_flag=True, help="Take everything at any speed.")
def main(port: int, unlimited: bool) -> None:
    """Be Telegram, and one person there."""
    asyncio.run(talk(port, unlimited=unlimited))


if __name__ == "__main__":
    main()
