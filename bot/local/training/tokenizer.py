"""llama.cpp's own tokenizer and chat template, in this process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property, partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.local.training.fault import TrainingFault
from bot.local.training.rows import BEFORE, Message, before_of

CONTEXT = 64  # tokens; nothing is ever answered


@contextmanager
def llama_tokenizer(model: Path, end: int) -> Iterator[LlamaTokenizer]:
    """A tokenizer for as long as it is needed: llama.cpp offers none without its server.

    Loading takes 0.6 seconds and 130 MiB, which come back. `end` is the model's last token.
    """
    import xllamacpp  # noqa: PLC0415 - the process that trains need not keep it

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_parallel = 1
    params.n_ctx = params.n_batch = params.n_ubatch = CONTEXT
    params.cpuparams.n_threads = 1
    params.cache_ram_mib = 0
    params.warmup = False
    params.port = 0
    params.api_keys = [key := secrets.token_urlsafe(32)]
    params.ui = False
    # Otherwise a conversation that the assistant ends is written without its end, to be gone on.
    params.prefill_assistant = False
    params.verbosity = 1  # errors
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise TrainingFault("invalid_model", f"llama.cpp cannot load {model}: {error}.") from None
    with closing(LlamaTokenizer(server.listening_address, key, end)) as tokenizer:
        tokenizer.ask("GET", "/slots")  # its loop answers: ended before that runs, it never ends
        yield tokenizer
    del server


class LlamaTokenizer:
    """A tokenizer behind the HTTP API of llama.cpp's server. See `Tokenizer`."""

    def __init__(self, address: str, key: str, end: int) -> None:
        self.end = end
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connection = HTTPConnection(urlsplit(address).netloc)

    def tokens(self, text: str, start: bool) -> list[int]:
        if start or not self._before:
            return self._ids(text, start)
        return self._ids(BEFORE + text, start)[len(self._before) :]

    def prompt(self, messages: list[Message], tools: list[Any], answer: bool) -> str:
        body: dict[str, Any] = {"messages": messages, "add_generation_prompt": answer}
        if tools:
            body["tools"] = tools
        try:
            return str(self.ask("POST", "/apply-template", body)["prompt"])
        except ValueError as error:
            raise ValueError(f"the model's template refuses it: {error}") from None

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        self._connection.request(method, path, json.dumps(body), self._headers)
        answer = json.loads(self._connection.getresponse().read())
        if "error" in answer:
            raise ValueError(answer["error"]["message"])
        return answer

    @cached_property
    def _before(self) -> list[int]:
        return before_of(partial(self._ids, start=False))

    def _ids(self, text: str, start: bool) -> list[int]:
        body = {"content": text, "add_special": start, "parse_special": True}
        return list(self.ask("POST", "/tokenize", body)["tokens"])
