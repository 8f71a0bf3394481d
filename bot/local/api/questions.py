"""What is asked for and cannot be done here, said before it is left out without a word."""

from __future__ import annotations

from typing import Any

from bot.local.api.errors import Refused

Json = dict[str, Any]


def require_answerable(body: Json, *, is_chat: bool) -> None:
    """Raise Refused for a request without its question, and for what llama.cpp would pass over.
    Fields that nobody knows pass: llama.cpp has many of its own.
    """
    if is_chat:
        require_messages(body)
        return
    prompt = body.get("prompt")
    if prompt is None:
        raise Refused(400, "Missing required parameter: 'prompt'.", None, "prompt")
    if body.get("suffix"):
        raise Refused(
            400, "This model cannot write what stands before a given end.", None, "suffix"
        )
    best_of, n = body.get("best_of"), body.get("n")
    if best_of is not None and best_of != (1 if n is None else n):
        raise Refused(
            400, "This server does not choose among answers: leave best_of out.", None, "best_of"
        )
    if body.get("echo"):
        require_echo(body, prompt if isinstance(prompt, list) else [prompt])


def require_messages(body: Json) -> None:
    messages = body.get("messages")
    if messages is None:
        raise Refused(400, "Missing required parameter: 'messages'.", None, "messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(
            400, "Invalid 'messages': write an array of one message or more.", None, "messages"
        )


def require_echo(body: Json, prompts: list[Any]) -> None:
    """Raise Refused where a prompt cannot be said again."""
    if body.get("logprobs") is not None:
        raise Refused(
            400, "A prompt has no log probabilities here: leave echo or logprobs out.", None, "echo"
        )
    if not all(isinstance(each, str) for each in prompts):
        raise Refused(400, "Only a prompt that is text can be echoed.", None, "echo")
