"""How many tokens a text has, and how many a model takes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Protocol

from bot.messages import Usage
from bot.models.names import base_model

A_MESSAGE = 3
A_NAME = 1
A_CONVERSATION = 3

# Those before GPT-4o. The oldest had p50k_base, which bpe-openai does not carry; cl100k_base
# counts a few tokens less for them.
_CL100K = re.compile(
    r"gpt-4(-|$)|gpt-3|(text-)?(davinci|curie|babbage|ada)\b|text-embedding|text-similarity|code-"
)
# https://platform.openai.com/docs/models. A dated name has the window of the name without date.
_WINDOWS = {
    "gpt-5": 400_000,
    "gpt-5.1": 400_000,
    "gpt-5.2": 400_000,
    "gpt-5-chat": 128_000,
    "gpt-4.1": 1_047_576,
    "gpt-4.5": 128_000,
    "gpt-4o": 128_000,
    "chatgpt-4o": 128_000,
    "o1": 200_000,
    "o1-mini": 128_000,
    "o1-preview": 128_000,
    "o3": 200_000,
    "o4-mini": 200_000,
    "gpt-oss": 131_072,
    "gpt-4": 8_192,
    "gpt-4-32k": 32_768,
    "gpt-4-turbo": 128_000,
    "gpt-4-1106": 128_000,
    "gpt-4-0125": 128_000,
    "gpt-4-vision": 128_000,
    "gpt-3.5-turbo": 16_385,
    "gpt-3.5-turbo-0301": 4_096,
    "gpt-3.5-turbo-0613": 4_096,
    "gpt-3.5-turbo-instruct": 4_096,
    "gpt-35-turbo": 16_385,
    "davinci-002": 16_384,
    "babbage-002": 16_384,
    "text-davinci-003": 4_097,
    "text-davinci-002": 4_097,
    "davinci": 2_049,
    "curie": 2_049,
    "babbage": 2_049,
    "ada": 2_049,
}


def window(model: str) -> int:
    """How many tokens a model takes, prompt and answer together; 0 when it is not known."""
    name = _plain(model)
    while name:
        if name in _WINDOWS:
            return _WINDOWS[name]
        name = name.rpartition("-")[0]
    return 0


def upper_bound(text: str) -> int:
    """A number of tokens that no byte-level encoding exceeds: the bytes of the text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class Tokens:
    """Counts tokens exactly.

    The first count of an encoding loads it: 70 MiB and about 0.1 s, so await `loaded` before.
    """

    async def loaded(self, model: str) -> None:
        """Return when `count` answers for this model without a wait."""
        await asyncio.to_thread(_encoding, _encoding_name(model))

    def count(self, model: str, text: str) -> int:
        """The tokens of a text. Names of special tokens count as the text that they are."""
        encoding = _encoding(_encoding_name(model))
        try:
            return encoding.count(text)
        except UnicodeEncodeError:  # half a surrogate pair
            return encoding.count(text.encode("utf-8", "replace").decode())

    def count_messages(self, model: str, messages: Iterable[Mapping[str, Any]]) -> int:
        """The tokens of a chat request, with what surrounds messages (facts/prepare-data.md)."""
        return A_CONVERSATION + sum(
            A_MESSAGE
            + (A_NAME + self.count(model, message["name"]) if message.get("name") else 0)
            + self.count(model, str(message.get("role", "")))
            + self.count(model, _said(message.get("content")))
            for message in messages
        )

    def count_request(self, body: Mapping[str, Any]) -> int:
        """The tokens of a request body, whatever its API."""
        model = str(body.get("model", ""))
        if "messages" in body:
            return self.count_messages(model, body["messages"])
        return self.count(model, str(body.get("prompt", "")))

    async def used(self, body: Mapping[str, Any], answer: str) -> Usage:
        """What a call used whose server did not say it."""
        model = str(body.get("model", ""))
        await self.loaded(model)
        return Usage(self.count_request(body), self.count(model, answer), counted=True)


class _Encoding(Protocol):
    def count(self, text: str) -> int: ...


@cache
def _encoding(name: str) -> _Encoding:
    """An encoding of bpe-openai.

    Only its compiled module is imported: the Python package around it reads all vocabularies a
    second time, for 75 MiB and 0.8 s more.
    """
    package = find_spec("bpe_openai")
    spec = package and PathFinder.find_spec(
        "bpe_openai._bindings", package.submodule_search_locations
    )
    if not spec or not spec.loader:
        raise ImportError("bpe-openai has no compiled module")
    bindings: Any = module_from_spec(spec)
    spec.loader.exec_module(bindings)
    encoding: _Encoding = bindings.tokenizer_for_encoding(name)
    encoding.count("")
    return encoding


def _encoding_name(model: str) -> str:
    return "cl100k_base" if _CL100K.match(_plain(model)) else "o200k_base"


def _plain(model: str) -> str:
    """The base model's name without a maker ("openai/gpt-4o")."""
    return base_model(model).rpartition("/")[2].lower()


def _said(content: object) -> str:
    """The text of a message; the parts of one with pictures too."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
