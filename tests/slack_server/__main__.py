"""A Slack to try a bot with, and one person in direct messages with it.

    python -m tests.slack_server [--port 8082] [--unlimited] [--request-url URL]

The first lines say what the bot needs, and where another process may pull the strings: see
control.py. Each further line that is typed is a message of the person; what the bot shows stands
below, in brackets while it is streamed.
"""

from __future__ import annotations

import asyncio
import sys

import click

from tests.slack_server.limits import Limits
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack

DAY = 86_400


async def talk(port: int, request_url: str, *, unlimited: bool) -> None:
    """Serve until the end of standard input."""
    limits = None if unlimited else Limits()
    async with Slack(port=port, limits=limits, controlled=True) as slack:
        tokens = slack.tokens
        click.echo(f"export SLACK_BOT_TOKEN={tokens.bot}")
        click.echo(f"export SLACK_APP_TOKEN={tokens.app}")
        click.echo(f"export SLACK_SIGNING_SECRET={tokens.signing_secret}")
        click.echo(f'[adapters.slack]\napi_url = "{slack.api_url}"')
        click.echo(f"# control: {slack.url}/control/")
        if request_url:
            slack.delivery.posts_to(request_url)
        ann = slack.person("ann")
        watching = asyncio.create_task(watch(slack, ann), name="watch")
        while line := await asyncio.to_thread(sys.stdin.readline):
            ann.says(ann.im, line.strip())
        watching.cancel()
        # A bot that was tried by hand is told of its faults, and the program ends well.
        for violation in slack.violations:
            click.echo(f"# violation: {violation}")
        slack.violations.clear()


async def watch(slack: Slack, ann: Person) -> None:
    """Print whatever is new in the direct messages."""
    printed: set[tuple[str, str]] = set()
    while True:
        await slack.workspace.until(lambda: not printed.issuperset(seen(slack, ann)), DAY)
        for ts, line in seen(slack, ann):
            if (ts, line) not in printed:
                click.echo(line)
        printed.update(seen(slack, ann))


def seen(slack: Slack, ann: Person) -> list[tuple[str, str]]:
    """What the person reads of the bot, after the ts of each message."""
    everybody = slack.workspace.messages(ann.im)
    messages = [*everybody, *slack.workspace.ephemeral(ann.user, ann.im)]
    return [
        (message.ts, f"[{message.seen}]" if message.streaming else message.seen)
        for message in messages
        if message.user == slack.workspace.bot.id
    ]


@click.command()
@click.option("--port", default=8082, help="Where the Web API listens; 0 for any port.")
@click.option("--unlimited", is_flag=True, help="Take everything at any speed.")
@click.option("--request-url", default="", help="Post events there; without it, Socket Mode.")
def main(port: int, request_url: str, *, unlimited: bool) -> None:
    """Be Slack, and one person there."""
    asyncio.run(talk(port, request_url, unlimited=unlimited))


if __name__ == "__main__":
    main()
