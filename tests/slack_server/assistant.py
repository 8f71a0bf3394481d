"""What the bot shows in a thread beside its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.slack_server.blocks import refusal
from tests.slack_server.methods import channel, method
from tests.slack_server.values import Json, Parameters, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_PROMPTS = 4


@method("assistant.threads.setStatus")
def set_status(slack: SlackServer, given: Parameters) -> Json:
    """What the bot is doing; nothing takes it away."""
    slack.workspace.set_status(*thread(slack, given), given["status"])
    return {}


@method("assistant.threads.setTitle")
def set_title(slack: SlackServer, given: Parameters) -> Json:
    """What a thread is called."""
    slack.workspace.titles[thread(slack, given)] = given["title"]
    return {}


@method("assistant.threads.setSuggestedPrompts")
def set_suggested_prompts(slack: SlackServer, given: Parameters) -> Json:
    """What a person may ask, each with a `title` and a `message`; for the whole app without a
    thread.
    """
    prompts = given["prompts"]
    if not 0 < len(prompts) <= MOST_PROMPTS or any(
        not isinstance(each, dict) or not each.get("title") or not each.get("message")
        for each in prompts
    ):
        raise refusal(slack, "invalid_arguments", f"prompts {prompts!r:.100}")
    slack.workspace.prompts[thread(slack, given)] = prompts
    return {}


def thread(slack: SlackServer, given: Parameters) -> tuple[str, str]:
    """The thread that is meant. Raises Refused."""
    where, ts = channel(slack, given, "channel_id"), str(given.get("thread_ts") or "")
    if ts and not slack.workspace.find(where.id, ts):
        raise Refused("invalid_thread_ts")
    return where.id, ts
