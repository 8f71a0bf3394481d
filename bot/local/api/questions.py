"""What is asked for and cannot be done here, said before it is left out without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.local.api.errors import Refused

Json = dict[str, Any]

# The fields that are read here, and those of which llama.cpp passes over what it does not expect.
KINDS: Mapping[str, type] = {
    "stream": bool,
    "stream_options": dict,
    "n": int,
    "max_tokens": int,
    "seed": int,
}
OF_CHATS: Mapping[str, type] = {
    "max_completion_tokens": int,
    "logprobs": bool,
    "top_logprobs": int,
    "response_format": dict,
    "tools": list,
}
OF_COMPLETIONS: Mapping[str, type] = {"logprobs": int, "echo": bool, "best_of": int}
NAMES = {bool: "a boolean", dict: "an object", int: "an integer", list: "an array"}
OLD_TOOLS = "functions", "function_call"


def require_answerable(body: Json, *, is_chat: bool) -> None:
    """Raise Refused for a request without its question, and for what llama.cpp would pass over.
    Fields that nobody knows pass: llama.cpp has many of its own.
    """
    require_kinds(body, {**KINDS, **(OF_CHATS if is_chat else OF_COMPLETIONS)})
    require_stops(body.get("stop"))
    if is_chat:
        require_messages(body)
        require_format(body.get("response_format"))
        require_tools(body)
    else:
        require_prompt(body)
    # Those of a chat, by what OpenAI answers; its description has only the one of completions.
    least = 1 if is_chat else 0
    for field in ("max_tokens", "max_completion_tokens"):
        if (most := body.get(field)) is not None and most < least:
            raise Refused(
                400,
                f"Invalid '{field}': integer below minimum value. Expected a value >= {least}, but "
                f"got {most} instead.",
                "integer_below_min_value",
                field,
            )


def require_kinds(body: Json, kinds: Mapping[str, type]) -> None:
    """Raise Refused for a field that has a value of another type than OpenAI describes."""
    for field, kind in kinds.items():
        given = body.get(field)
        is_one = isinstance(given, kind) and (kind is bool or not isinstance(given, bool))
        if given is not None and not is_one:
            said = f"Invalid type for '{field}': expected {NAMES[kind]}."
            raise Refused(400, said, "invalid_type", field)


def require_stops(stop: Any) -> None:
    """Raise Refused for what llama.cpp would pass over, or would end before the first token."""
    stops = stop if isinstance(stop, list) else [stop]
    if stop is not None and not all(isinstance(each, str) and each for each in stops):
        raise Refused(
            400,
            "Invalid 'stop': write a text or an array of texts, none of them empty.",
            None,
            "stop",
        )


def require_messages(body: Json) -> None:
    messages = body.get("messages")
    if messages is None:
        raise Refused(400, "Missing required parameter: 'messages'.", None, "messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(
            400, "Invalid 'messages': write an array of one message or more.", None, "messages"
        )
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            field = f"messages[{place}]"
            said = f"Invalid '{field}': write an object with a role."
            raise Refused(400, said, "invalid_type", field)


def require_format(wanted: Json | None) -> None:
    """Raise Refused for a schema that is missing: llama.cpp would say nothing then."""
    if wanted is None or wanted.get("type") != "json_schema":
        return
    described = wanted.get("json_schema")
    if not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
        field = "response_format.json_schema"
        raise Refused(400, f"Missing required parameter: '{field}.schema'.", None, field)


def require_tools(body: Json) -> None:
    """Raise Refused for tools in their older form, and for a choice where there are none."""
    for field in OLD_TOOLS:
        if body.get(field) is not None:
            said = f"'{field}' is not known here: use 'tools' and 'tool_choice'."
            raise Refused(400, said, "unsupported_parameter", field)
    if body.get("tool_choice") not in (None, "none", "auto") and not body.get("tools"):
        said = "'tool_choice' is only allowed when 'tools' are specified."
        raise Refused(400, said, None, "tool_choice")


def require_prompt(body: Json) -> None:
    """Raise Refused where there is none, and for what is done with it elsewhere only."""
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


def require_echo(body: Json, prompts: list[Any]) -> None:
    """Raise Refused where a prompt cannot be said again."""
    if body.get("logprobs") is not None:
        raise Refused(
            400, "A prompt has no log probabilities here: leave echo or logprobs out.", None, "echo"
        )
    if not all(isinstance(each, str) for each in prompts):
        raise Refused(400, "Only a prompt that is text can be echoed.", None, "echo")
