"""What the real llama.cpp says goes out as OpenAI describes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio

from bot.local import LocalServer
from bot.messages import Provider
from tests.local.api import Api, client_of
from tests.local.chunks import require_described, streamed
from tests.local.conftest import real_model
from tests.test_contract import valid

pytestmark = [pytest.mark.local_model, pytest.mark.xdist_group("local_model")]

HI: Any = [{"role": "user", "content": "Say hi."}]
USAGE = {"stream_options": {"include_usage": True}}
CAPITAL = "The capital of France is"


@pytest_asyncio.fixture
async def real(tmp_path: Path) -> AsyncIterator[Api]:
    """A server on the real model."""
    provider = Provider("local", kind="local", model_file=str(await real_model()))
    server = LocalServer(provider, tmp_path, trains=False)
    try:
        await server.start()
        async with client_of(server) as api:
            yield api
    finally:
        await server.stop()


async def test_answers_are_as_described_with_whatever_is_asked_for(real: Api) -> None:
    model = real.server.model
    for path, asked in (
        ("chat/completions", {"messages": HI}),
        ("chat/completions", {"messages": HI, "logprobs": True, "top_logprobs": 2}),
        ("chat/completions", {"messages": HI, "n": 2, "seed": 3, "stop": ["x", "y"]}),
        ("chat/completions", {"messages": HI, "response_format": {"type": "json_object"}}),
        ("completions", {"prompt": CAPITAL}),
        ("completions", {"prompt": CAPITAL, "logprobs": 2}),
        ("completions", {"prompt": [CAPITAL, "One, two,"], "n": 2}),
    ):
        body = {"model": model, "max_tokens": 4, **asked}
        chunks = await streamed(real, path, {**body, **USAGE, "stream": True})
        require_described(path, chunks)
        whole = (await real.http.post(path, json=body)).json()
        chat = path == "chat/completions"
        valid("CreateChatCompletionResponse" if chat else "CreateCompletionResponse", whole)
        told = [answer["usage"]["prompt_tokens"] for answer in (chunks[-1], whole)]
        assert told == [whole["usage"]["prompt_tokens"]] * 2
        assert not any("usage" in chunk for chunk in chunks[:-1])


async def test_prompts_are_echoed_each_before_its_own_answers(real: Api) -> None:
    prompts = [CAPITAL, "One, two,"]
    whole = await real.sdk.completions.create(
        model=real.server.model, prompt=prompts, n=2, echo=True, max_tokens=2, temperature=0
    )
    texts = [choice.text for choice in whole.choices]
    assert texts[0] == texts[1] == f"{CAPITAL} Paris."
    assert texts[2] == texts[3]
    assert texts[2].startswith("One, two,")
    alone = await real.sdk.completions.create(model=real.server.model, prompt=prompts, max_tokens=2)
    assert whole.usage is not None
    assert alone.usage is not None
    assert whole.usage.prompt_tokens == alone.usage.prompt_tokens
    assert whole.usage.completion_tokens == 8


async def test_what_the_model_cannot_do_is_a_refusal_in_openais_form(real: Api) -> None:
    model = real.server.model
    picture: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aaaa"}}
    for asking, param in (
        (real.sdk.embeddings.create(model=model, input="hi"), None),
        (
            real.sdk.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": [picture]}],
            ),
            None,
        ),
        (
            real.sdk.chat.completions.create(model=model, messages=HI, max_tokens="x"),  # type: ignore[call-overload]
            "max_tokens",
        ),
        (real.sdk.chat.completions.create(model=model, messages=HI, n=99), "n"),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
        assert (refused.value.param, refused.value.code) == (param, None)
