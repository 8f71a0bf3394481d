"""The tokenizer and the chat template of a Hugging Face folder."""

from __future__ import annotations

import json
from typing import Any

from jinja2.exceptions import TemplateError

from bot.local.training.fault import TrainingFault
from bot.local.training.rows import BEFORE, Message, before_of


class FolderTokenizer:
    """See `bot.local.training.rows.Tokenizer`. What begins a row is added to it once: a template
    that writes it too would double it, and both llama.cpp and vLLM ask with one.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token_id is None:
            raise TrainingFault(
                "invalid_model", "The model's tokenizer has no token that ends a text."
            )
        self.end = int(tokenizer.eos_token_id)
        self._tokenizer = tokenizer
        first = tokenizer("").input_ids[:1]
        self._first = first if first and first != [self.end] else []
        self._first_text = tokenizer.decode(self._first) if self._first else ""
        self._before = before_of(self._ids)

    def tokens(self, text: str, start: bool) -> list[int]:
        if start:
            return [*self._first, *self._ids(text)]
        if self._before:
            return self._ids(BEFORE + text)[len(self._before) :]
        return self._ids(text)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def prompt(self, messages: list[Message], tools: list[Any], answer: bool) -> str:
        if not self._tokenizer.chat_template:
            raise TrainingFault(
                "unsupported_model",
                "The model has no chat template: train it with prompts and completions, or put a "
                "chat_template.jinja into its folder.",
            )
        try:
            text = self._tokenizer.apply_chat_template(
                [*map(with_arguments, messages)],
                tools=tools or None,
                add_generation_prompt=answer,
                tokenize=False,
            )
        except TemplateError as error:
            raise ValueError(f"the model's template refuses it: {error}") from None
        return str(text).removeprefix(self._first_text)


def with_arguments(message: Message) -> Message:
    """A message whose calls have their arguments as objects, as vLLM gives them too: templates
    write those as JSON, and a text of JSON once more.
    """
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return message
    return {**message, "tool_calls": [called(call) for call in calls]}


def called(call: Any) -> Any:
    try:
        arguments = json.loads(call["function"]["arguments"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return call
    return {**call, "function": {**call["function"], "arguments": arguments}}
