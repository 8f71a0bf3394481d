"""A model as the bots that make no promise ask it: what they share."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import httpx

client = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None))


async def streamed(base_url: str, messages: Sequence[dict[str, str]]) -> AsyncIterator[str]:
    """The tokens of an answer."""
    body = {"model": "gpt-4o-mini", "messages": list(messages), "stream": True}
    async with client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    yield choice["delta"].get("content") or ""
