"""A model server's chunks as OpenAI writes them. Pure."""

from __future__ import annotations

from typing import Any

COUNTS = "prompt_tokens", "completion_tokens", "total_tokens"

Json = dict[str, Any]


class Translation:
    """The chunks of one answer, as they come. What was used is told apart from them: llama.cpp
    tells it once for every choice, in a chunk of its own or in the choice's last.
    """

    def __init__(self, body: Json, *, is_chat: bool) -> None:
        self._body = body
        self._is_chat = is_chat
        self._each = body.get("n") or 1  # choices of a prompt
        self._is_silent = not is_chat and body.get("max_tokens") == 0
        # The tokens that were chosen, without those that were not.
        self._is_bare = bool(body.get("logprobs") and not body.get("top_logprobs"))
        if not is_chat:
            self._is_bare = body.get("logprobs") == 0
        self._texts: dict[int, int] = {}  # characters of each choice
        self._used: list[Json] = []
        self._last: Json = {}

    @property
    def asked(self) -> Json:
        """The request as it is sent on: less than one token and no alternatives to a token are not
        to be had, so that what comes is left out.
        """
        asked = dict(self._body)
        if self._is_silent:
            asked["max_tokens"] = 1
        if self._is_bare:
            asked["top_logprobs" if self._is_chat else "logprobs"] = 1
        return asked

    def of(self, chunk: Json) -> Json:
        """A chunk under the name that was asked for, without its usage."""
        said = {
            **chunk,
            "id": self._id(chunk),
            "model": self._body["model"],
            "choices": [self._choice(each) for each in chunk["choices"]],
        }
        if used := said.pop("usage", None):
            if self._is_silent:
                used = {**used, "completion_tokens": 0, "total_tokens": used["prompt_tokens"]}
            self._used.append(used)
        self._last = said
        return said

    @property
    def usage(self) -> Json:
        """What all choices used, {} where that was not told. A prompt that has several choices
        counts once.
        """
        if len(self._used) < 2:
            return dict(*self._used)
        prompt, completion, _ = (sum(each[key] for each in self._used) for key in COUNTS)
        prompt //= self._each
        return dict(zip(COUNTS, (prompt, completion, prompt + completion), strict=True))

    @property
    def closing(self) -> Json:
        """The chunk after the last choice, which tells what was used."""
        return {**self._last, "choices": [], "usage": self.usage}

    def _id(self, chunk: Json) -> str:
        """llama.cpp's ids begin with chatcmpl- for completions too."""
        id_ = str(chunk.get("id", "")).removeprefix("chatcmpl-").removeprefix("cmpl-")
        return f"{'chatcmpl' if self._is_chat else 'cmpl'}-{id_}"

    def _choice(self, choice: Json) -> Json:
        told = choice.get("logprobs") or {}
        content = told.get("content")
        if self._is_chat:
            logprobs = {"content": self._bared(content), "refusal": None} if content else None
            return {**choice, "logprobs": logprobs}
        index, text = choice["index"], choice.get("text") or ""
        if self._is_silent:
            text, told, content = "", {}, None
            choice = {**choice, "finish_reason": choice.get("finish_reason") and "length"}
        begun = index in self._texts
        offset = self._texts.get(index, 0)
        self._texts[index] = offset + len(text)
        if not begun and self._body.get("echo"):
            text = self._prompt(index) + text
        if content:
            told = older(self._bared(content), offset)
        elif self._is_bare and told.get("tokens"):
            told = {**told, "top_logprobs": [{} for _ in told["tokens"]]}
        return {**choice, "text": text, "logprobs": told if "tokens" in told else None}

    def _bared(self, content: list[Json]) -> list[Json]:
        return [{**token, "top_logprobs": []} for token in content] if self._is_bare else content

    def _prompt(self, index: int) -> str:
        """The prompt of a choice, "" for one too many: those of one prompt stand together."""
        prompt = self._body["prompt"]
        prompts = [prompt] if isinstance(prompt, str) else prompt
        return "".join(prompts[index // self._each :][:1])


def older(content: list[Json], offset: int) -> Json:
    """Log probabilities of tokens in the form that completions have; `offset` is where the first
    one's text begins.
    """
    offsets = []
    for token in content:
        offsets.append(offset)
        offset += len(token["token"])
    return {
        "tokens": [token["token"] for token in content],
        "token_logprobs": [token["logprob"] for token in content],
        "top_logprobs": [
            {each["token"]: each["logprob"] for each in token.get("top_logprobs") or ()}
            for token in content
        ],
        "text_offset": offsets,
    }
