"""vLLM as its clients see it: the routes of models, adapters and answers, and nothing kind.

An adapter is named by a folder of PEFT's, which is looked into. Who is asked says who it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.ending import end

FILES = {"adapter_config.json", "adapter_model.safetensors"}
KEY = "vllm-key"

Json = dict[str, Any]


class VllmServer:
    """A vLLM that serves a folder. `updates` is VLLM_ALLOW_RUNTIME_LORA_UPDATING; while there is a
    `refusal`, it is what every question gets.
    """

    def __init__(self, folder: Path, *, updates: bool = True, most_rank: int = 16) -> None:
        self.url = ""
        self.asked: list[Json] = []
        self.adapters: dict[str, str] = {}
        self.refusal: web.Response | None = None
        self._folder = folder
        self._most_rank = most_rank
        app = web.Application(middlewares=[self._only_with_key])
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", embed)
        if updates:
            app.router.add_post("/v1/load_lora_adapter", self._load)
            app.router.add_post("/v1/unload_lora_adapter", self._unload)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        await end(self._runner)

    def starts_anew(self) -> None:
        """What was loaded while it ran is gone."""
        self.adapters.clear()

    @web.middleware
    async def _only_with_key(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        try:
            answer: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            return refused(404, "Not Found", "Not Found")
        return answer

    async def _models(self, _: web.Request) -> web.Response:
        base = str(self._folder)
        cards = [card(base, base, None)]
        cards += [card(name, path, base) for name, path in self.adapters.items()]
        return web.json_response({"object": "list", "data": cards})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.keys() != {"lora_name", "lora_path"} or not all(body.values()):
            return refused(
                400, "Both 'lora_name' and 'lora_path' must be provided.", "InvalidUserInput"
            )
        name, path = body["lora_name"], Path(body["lora_path"])
        if name in self.adapters:
            said = f"The lora adapter '{name}' has already been loaded."
            return refused(400, said, "InvalidUserInput")
        if not path.is_dir() or {file.name for file in path.iterdir()} != FILES:
            said = f"Loading lora {name} failed: No adapter found for {path}"
            return refused(404, said, "NotFoundError")
        rank = json.loads((path / "adapter_config.json").read_bytes())["r"]
        if rank > self._most_rank:
            said = f"LoRA rank {rank} is greater than max_lora_rank {self._most_rank}."
            return refused(500, said, "InternalServerError")
        self.adapters[name] = str(path)
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        if self.adapters.pop(name, None) is None:
            return refused(404, f"The lora adapter '{name}' cannot be found.", "NotFoundError")
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if self.refusal:
            return self.refusal
        model = body["model"]
        if model != str(self._folder) and model not in self.adapters:
            return refused(404, f"The model `{model}` does not exist.", "NotFoundError")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        who = "base" if model not in self.adapters else Path(self.adapters[model]).name
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        for chunk in (
            {"choices": [choice({"role": "assistant", "content": ""})]},
            {"choices": [choice({"content": f"{who} says hi"})]},
            {"choices": [choice({"content": ""}, "stop")]},
            {"choices": [], "usage": usage},
        ):
            await response.write(f"data: {json.dumps(head | chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


async def embed(request: web.Request) -> web.Response:
    """As many numbers as are asked for."""
    body = await request.json()
    vector = [0.5] * body.get("dimensions", 4)
    data = [{"object": "embedding", "index": 0, "embedding": vector}]
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
    told = {"id": "embd-1", "object": "list", "created": 1, "model": body["model"]}
    return web.json_response({**told, "data": data, "usage": usage})


def choice(delta: Json, end: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}


def card(name: str, root: str, parent: str | None) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": 1,
        "owned_by": "vllm",
        "root": root,
        "parent": parent,
        "max_model_len": None if parent else 2048,
    }


def refused(status: int, message: str, kind: str) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": status}
    return web.json_response({"error": error}, status=status)
