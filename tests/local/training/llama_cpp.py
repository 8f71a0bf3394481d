"""llama.cpp itself, to compare with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from bot.local.training.model import Llama
from bot.local.training.pack import pack
from bot.local.training.rows import Row

READABLE = 124  # a token


@contextmanager
def llama_cpp(model: Path, adapter: Path | None = None) -> Iterator[LlamaCpp]:
    """llama.cpp with a model and an adapter, in this process."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_parallel, params.n_ctx, params.port = 1, 256, 0
    params.cpuparams.n_threads = 1
    params.cache_ram_mib = 0
    params.warmup = params.ui = False
    params.verbosity = 1
    # Rounding to half precision would hide small mistakes.
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if adapter is not None:
        info = xllamacpp.CommonAdapterLoraInfo()
        info.path, info.scale = str(adapter), 0.0
        params.lora_adapters = [info]
    server = xllamacpp.Server(params)
    with closing(LlamaCpp(server.listening_address)) as served:
        yield served
    del server


class LlamaCpp:
    """A model that answers with tokens and their log-probabilities."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc)

    def close(self) -> None:
        self._connection.close()

    def completion(self, prompt: list[int] | str, scale: float = 0.0, **params: Any) -> Any:
        """An answer at temperature 0, by the adapter at a scale."""
        lora = [{"id": 0, "scale": scale}]
        body = {"prompt": prompt, "lora": lora, "temperature": 0, "cache_prompt": False, **params}
        return self._post("/completion", body)

    def tokens(self, text: str) -> list[int]:
        return list(self._post("/tokenize", {"content": text})["tokens"])

    def chat(self, messages: list[dict[str, Any]]) -> str:
        return str(self._post("/apply-template", {"messages": messages})["prompt"])

    def next(self, prompt: list[int], scale: float = 0.0) -> dict[int, float]:
        """The 20 most probable next tokens with their log-probabilities.

        What is said is made a letter: llama.cpp tells nothing of a token that is half a letter.
        """
        letter = [[READABLE, 1000]]
        answer = self.completion(prompt, scale, n_predict=1, n_probs=20, logit_bias=letter)
        return {
            each["id"]: each["logprob"]
            for each in answer["completion_probabilities"][0]["top_logprobs"]
        }

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        self._connection.request("POST", path, json.dumps(body))
        return json.loads(self._connection.getresponse().read())


def ours(
    model: Llama, prompt: list[int], candidates: list[int], *, adapted: bool = False
) -> list[float]:
    """What our forward pass gives the candidates to follow a prompt."""
    weights = [0.0] * len(prompt) + [1.0]
    rows = [Row([*prompt, each], weights) for each in candidates]
    return list(map(float, model.forward(pack(rows), adapted=adapted).log_probabilities))


def random_prompt(length: int, vocabulary: int) -> list[int]:
    return list(map(int, np.random.default_rng(length).integers(3, vocabulary, length)))
