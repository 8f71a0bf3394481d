"""Commands about the answer and the conversation at hand."""

from __future__ import annotations

from bot.access import Rank
from bot.commands.registry import COMMANDS, Call, Command, called, command
from bot.store import conversations


@command("/help [COMMAND]")
async def help_(call: Call) -> str:
    """List the commands, or explain one."""
    if call.rest:
        found, _ = called(f"/{call.rest.removeprefix('/')}")
        return f"`{found.usage}`\n\n{found.help}"
    rank = call.services.access.rank(call.message.person.id)
    lines = ["Write to me and I answer. I remember what is said in this conversation.", ""]
    return "\n".join(
        [*lines, *(listed(c) for c in COMMANDS.values() if c.listed and c.rank <= rank)]
    )


def listed(entry: Command) -> str:
    """A command's line in the list."""
    only = " (operators)" if entry.rank is Rank.OPERATOR else ""
    return f"- `{entry.usage}` {entry.summary}{only}"


@command("/stop", at_once=True)
async def stop(call: Call) -> str | None:
    """Stop the answer that is being written.

    What was said up to then stays. Training data that is being looked at or written is stopped,
    too; nothing of that stays.
    """
    where, services = call.message.conversation, call.services
    if services.conversation.stop(where) or services.stops.stop(where):
        return None
    return "There is no answer to stop."


@command("/retry")
async def retry(call: Call) -> None:
    """Ask the last question again."""
    await call.services.conversation.retry(call.message)


@command("/continue")
async def continue_(call: Call) -> None:
    """Go on with an answer that was cut."""
    await call.services.conversation.go_on(call.message)


@command("/reset")
async def reset(call: Call) -> str:
    """Begin anew: nothing said before is remembered.

    It stays stored, for /export, until it is too old or somebody says /forget.
    """
    await call.services.store.insist(conversations.reset, call.message.conversation)
    return "Done: I begin anew, without a memory of what was said here."
