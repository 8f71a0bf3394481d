"""A streamed answer put together again, as it would have come without streaming. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

COUNTS = "prompt_tokens", "completion_tokens", "total_tokens"


class Whole:
    """An answer that grows by the chunks of its stream."""

    def __init__(self, *, is_chat: bool) -> None:
        self._is_chat = is_chat
        self._head: Json = {}
        self._choices: dict[int, Json] = {}
        self._usage: Json = {}

    def add(self, chunk: Json) -> None:
        """The next chunk."""
        self._head = {key: chunk[key] for key in ("id", "created", "model") if key in chunk}
        self._add_usage(chunk.get("usage") or {})
        for each in chunk.get("choices", ()):
            index = each.get("index", 0)
            choice = self._choices.setdefault(index, self._empty(index))
            choice["finish_reason"] = each.get("finish_reason") or choice["finish_reason"]
            if self._is_chat:
                add_delta(choice["message"], each.get("delta") or {})
            else:
                choice["text"] += each.get("text") or ""
            add_logprobs(choice, each.get("logprobs"), is_chat=self._is_chat)

    def answer(self) -> Json:
        """The whole of it."""
        return {
            **self._head,
            "object": "chat.completion" if self._is_chat else "text_completion",
            "choices": [self._choices[index] for index in sorted(self._choices)],
            **({"usage": self._usage} if self._usage else {}),
        }

    def _add_usage(self, told: Json) -> None:
        """What was used: several prompts each have their own. Details are left out then."""
        if not self._usage:
            self._usage = told
        elif told:
            self._usage = {key: self._usage[key] + told[key] for key in COUNTS}

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


def add_logprobs(choice: Json, told: Any, *, is_chat: bool) -> None:
    """llama.cpp tells of tokens in the form of chats; completions have an older one."""
    content = (told or {}).get("content") or []
    if not content:
        return
    if is_chat:
        choice["logprobs"] = choice["logprobs"] or {"content": [], "refusal": None}
        choice["logprobs"]["content"] += content
        return
    choice["logprobs"] = kept = choice["logprobs"] or {
        "tokens": [],
        "token_logprobs": [],
        "top_logprobs": [],
        "text_offset": [],
    }
    for token in content:
        before = (kept["text_offset"] or [0])[-1] + len((kept["tokens"] or [""])[-1])
        kept["text_offset"].append(before)
        kept["tokens"].append(token["token"])
        kept["token_logprobs"].append(token["logprob"])
        kept["top_logprobs"].append(
            {each["token"]: each["logprob"] for each in token.get("top_logprobs", ())}
        )
