"""A streamed answer put together again, as it would have come without streaming. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

OF_CHUNKS = {"object", "choices"}

Json = dict[str, Any]


class Whole:
    """An answer that grows by the chunks of its stream."""

    def __init__(self, *, is_chat: bool) -> None:
        self._is_chat = is_chat
        self._head: Json = {}
        self._choices: dict[int, Json] = {}

    def add(self, chunk: Json) -> None:
        """The next chunk."""
        self._head |= {key: each for key, each in chunk.items() if key not in OF_CHUNKS}
        for each in chunk["choices"]:
            index = each.get("index", 0)
            choice = self._choices.setdefault(index, self._empty(index))
            choice["finish_reason"] = each.get("finish_reason") or choice["finish_reason"]
            if self._is_chat:
                add_delta(choice["message"], each.get("delta") or {})
            else:
                choice["text"] += each["text"]
            add_logprobs(choice, each["logprobs"])

    def answer(self, usage: Json) -> Json:
        """The whole of it."""
        return {
            **self._head,
            "object": "chat.completion" if self._is_chat else "text_completion",
            "choices": [self._choices[index] for index in sorted(self._choices)],
            **({"usage": usage} if usage else {}),
        }

    def _empty(self, index: int) -> Json:
        choice: Json = {"index": index, "finish_reason": "stop", "logprobs": None}
        if self._is_chat:
            choice["message"] = {"role": "assistant", "content": None, "refusal": None}
        else:
            choice["text"] = ""
        return choice


def add_delta(message: Json, delta: Json) -> None:
    """What a chunk adds to a message: texts grow, calls of tools do by their places."""
    for key, value in delta.items():
        if key == "tool_calls":
            add_calls(message.setdefault("tool_calls", []), value or ())
        elif key != "role" and isinstance(value, str):
            message[key] = (message.get(key) or "") + value


def add_calls(calls: list[Json], deltas: Iterable[Json]) -> None:
    for delta in deltas:
        while len(calls) <= delta.get("index", 0):
            calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        call, function = calls[delta.get("index", 0)], delta.get("function") or {}
        call["id"] = delta.get("id") or call["id"]
        for key in ("name", "arguments"):
            call["function"][key] += function.get(key) or ""


def add_logprobs(choice: Json, told: Json | None) -> None:
    """What a chunk tells of its tokens comes after that of those before."""
    if told is None:
        return
    kept = choice["logprobs"] or {}
    choice["logprobs"] = {
        key: (kept.get(key) or []) + each if each else each for key, each in told.items()
    }
