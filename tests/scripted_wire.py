"""How OpenAI's API looks on the wire, and what it refuses.

The forms are those of ../shared/specs/openai.json (CreateChatCompletionStreamResponse,
CreateCompletionResponse, Error); an event is one frame of a chunked body.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

CREATED = 1_800_000_000
CHAT = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
COMPLETIONS = frozenset(
    [
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "model",
        "n",
        "presence_penalty",
        "prompt",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "suffix",
        "temperature",
        "top_p",
        "user",
    ]
)
LAST = b"0\r\n\r\n"
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many"}


def framed(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache
def stream_head(content_type: str) -> bytes:
    """The headers of an answer whose length is not known."""
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nCache-Control: no-cache\r\n"
        "x-request-id: req_scripted\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()


def response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer; text is taken for HTML, anything else for JSON."""
    html = isinstance(body, str)
    content = body.encode() if html else json.dumps(body).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return (
        f"HTTP/1.1 {status} {REASONS.get(status, 'Scripted')}\r\n"
        f"Content-Type: {'text/html' if html else 'application/json'}\r\n"
        f"Content-Length: {len(content)}\r\n{more}\r\n"
    ).encode() + content


def problem(body: Mapping[str, Any], chat: bool) -> str:
    """The first thing that is wrong with a body by OpenAI's rules, "" when it is right."""
    unknown = set(body) - (CHAT if chat else COMPLETIONS)
    stop = body.get("stop")
    temperature = body.get("temperature", 1)
    rules = [
        (unknown, f"Unrecognized request argument supplied: {', '.join(sorted(unknown))}"),
        (not body.get("model"), "you must provide a model parameter"),
        (chat and not well_formed(body.get("messages")), "Invalid value for 'messages'."),
        (not chat and not isinstance(body.get("prompt", ""), str | list), "Invalid 'prompt'."),
        (not isinstance(stop, str | list | None), "Invalid type for 'stop'."),
        (isinstance(stop, list) and not 1 <= len(stop) <= 4, "'stop' takes 1 to 4 sequences."),
        (
            isinstance(stop, list) and not all(isinstance(one, str) for one in stop),
            "Invalid type for 'stop[0]'.",
        ),
        (
            not isinstance(temperature, int | float | None) or not 0 <= (temperature or 0) <= 2,
            "Invalid 'temperature': expected a value from 0 to 2.",
        ),
        (
            body.get("stream_options") is not None and not body.get("stream"),
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ),
    ]
    return next((message for broken, message in rules if broken), "")


def well_formed(messages: Any) -> bool:
    """Whether `messages` is a list that is not empty, of objects with a role and a content."""
    roles = {"system", "developer", "user", "assistant", "tool", "function"}
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(message, dict) and message.get("role") in roles and "content" in message
            for message in messages
        )
    )


def usage(body: Mapping[str, Any], completion: int) -> dict[str, int]:
    """Words of the request and tokens of the answer."""
    said = body.get("prompt") or [message.get("content") for message in body.get("messages", ())]
    prompt = len(str(said).split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def choice(chat: bool, delta: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
    """One entry of `choices` in a streamed chunk."""
    said = {"delta": delta} if chat else {"text": delta.get("content", "")}
    return {"index": 0, **said, "logprobs": None, "finish_reason": finish}


def chunk_object(chat: bool, model: str, **fields: Any) -> bytes:
    """One chunk of a stream, as an event in a frame."""
    data = {
        "id": "chatcmpl-scripted" if chat else "cmpl-scripted",
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": CREATED,
        "model": model,
        "system_fingerprint": "fp_scripted",
        **fields,
    }
    return framed(b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n")


@lru_cache(maxsize=8192)
def event(chat: bool, model: str, text: str) -> bytes:
    """A token."""
    return chunk_object(chat, model, choices=[choice(chat, {"content": text}, None)])


@lru_cache
def opening(model: str) -> bytes:
    """The chunk that names the role, before the first token of a chat."""
    delta = {"role": "assistant", "content": "", "refusal": None}
    return chunk_object(True, model, choices=[choice(True, delta, None)])


@lru_cache
def ending(chat: bool, model: str, finish: str) -> bytes:
    """The chunk that says why the answer ends."""
    return chunk_object(chat, model, choices=[choice(chat, {}, finish)])


@lru_cache(maxsize=8192)
def usage_event(chat: bool, model: str, prompt: int, completion: int) -> bytes:
    """The chunk with the usage, which has no choices."""
    counted = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return chunk_object(chat, model, choices=[], usage=counted)


def whole(
    model: str, chunks: Sequence[str], finish: str | None, counted: Mapping[str, int], chat: bool
) -> bytes:
    """The answer to a request that does not stream."""
    text = "".join(chunks)
    said = (
        {"message": {"role": "assistant", "content": text, "refusal": None}}
        if chat
        else {"text": text}
    )
    return response(
        200,
        {
            "id": "chatcmpl-scripted" if chat else "cmpl-scripted",
            "object": "chat.completion" if chat else "text_completion",
            "created": CREATED,
            "model": model,
            "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": finish}],
            "usage": counted,
        },
    )
