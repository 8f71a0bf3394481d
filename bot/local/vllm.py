"""A vLLM that somebody runs on this machine, or where it sees the same files: it serves the base
model, and adapters as they are asked for.

It is asked each time what it has: it may have been started anew, and others may use it too. Its
routes are those of its documentation (LoRA Adapters, "Dynamically serving LoRA Adapters").
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.errors import LocalUnavailable
from bot.local.served import Place
from bot.local.version import version

PATIENCE = 60.0  # seconds to load an adapter
NO_ROUTE = "Not Found"


class Vllm:
    """The model of a folder behind `base_url`. See `bot.local.served.Served`."""

    def __init__(self, base_url: str, key: str, folder: Path) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._folder = folder
        self._model = ""  # its name there, known once started
        self._adapters: tuple[str, ...] = ()
        self._loading = asyncio.Lock()
        self.answering = 0
        self._client = httpx.AsyncClient(
            base_url=self._base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=PATIENCE,
            trust_env=False,
        )

    @property
    def alive(self) -> bool:
        return bool(self._model)

    @property
    def adapters(self) -> tuple[str, ...]:
        return self._adapters

    @property
    def pids(self) -> list[int]:
        return []

    @property
    def embedding_pids(self) -> list[int]:
        return []

    async def start(self) -> None:
        models = [model for model in await self._models() if not model.get("parent")]
        if not models:
            raise LocalUnavailable(f"vLLM at {self._base_url} serves no model: {self._remedy()}")
        ours = [model for model in models if model.get("root") == str(self._folder)]
        self._model = (ours or models)[0]["id"]

    async def stop(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def using(self, adapter: str) -> AsyncIterator[Place]:
        name = await self._loaded(adapter) if adapter else self._model
        self.answering += 1
        try:
            yield Place(self._base_url, self._key, {"model": name})
        finally:
            self.answering -= 1

    def embedding(self) -> AbstractAsyncContextManager[Place]:
        return self.using("")

    async def forget(self, *adapters: str) -> None:
        async with self._loading:
            self._adapters = tuple(each for each in self._adapters if each not in adapters)
            for name in await self._names():
                if place_of(name) in map(place, adapters):
                    await self._unload(name)

    async def _loaded(self, adapter: str) -> str:
        """The name of an adapter, once it is served."""
        name = f"{place(adapter)}-{version(adapter)}"
        async with self._loading:
            names = await self._names()
            if name not in names:
                wanted = {"lora_name": name, "lora_path": adapter}
                answer = await self._ask("POST", "/load_lora_adapter", wanted)
                # Another process may have been faster.
                if answer.status_code != 200 and name not in await self._names():
                    raise LocalUnavailable(self._reason(answer))
                for old in names:
                    if place_of(old) == place(adapter):
                        await self._unload(old)
            if adapter not in self._adapters:
                self._adapters = (*self._adapters, adapter)
        return name

    async def _unload(self, name: str) -> None:
        await self._ask("POST", "/unload_lora_adapter", {"lora_name": name})

    async def _names(self) -> set[str]:
        return {model["id"] for model in await self._models()}

    async def _models(self) -> list[dict[str, Any]]:
        answer = await self._ask("GET", "/models")
        try:
            listed = answer.raise_for_status().json()["data"]
            return [{**model, "id": str(model["id"])} for model in listed]
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
            raise LocalUnavailable(
                f"vLLM at {self._base_url} does not list its models (status "
                f"{answer.status_code}): check vllm_url, and the key of api_key_env."
            ) from None

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        try:
            return await self._client.request(method, path, json=body)
        except httpx.TransportError:
            raise LocalUnavailable(
                f"vLLM does not answer at {self._base_url}: {self._remedy()}"
            ) from None

    def _reason(self, answer: httpx.Response) -> str:
        """Why an adapter was not loaded. Without its two settings vLLM has no such route."""
        try:
            said = answer.json()
            message = str(said.get("error", said)["message"])  # older ones have no "error"
        except (ValueError, KeyError, TypeError, AttributeError):
            message = NO_ROUTE
        if message == NO_ROUTE:
            return f"vLLM at {self._base_url} loads no adapters: {self._remedy()}"
        return f"vLLM does not load the tuned model: {message}"

    def _remedy(self) -> str:
        return (
            f"start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve {self._folder} "
            f"--enable-lora --max-lora-rank 16"
        )


def place(adapter: str) -> str:
    """The name of an adapter at vLLM without its version: JOB-adapter-STEP."""
    path = Path(adapter)
    return f"{path.parent.parent.name}-{path.name}"


def place_of(name: str) -> str:
    """The place in the name of an adapter at vLLM."""
    return name.rpartition("-")[0]
