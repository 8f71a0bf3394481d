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
        ("chat/completions", {"messages": HI, "logprobs": True}),
        ("chat/completions", {"messages": HI, "n": 2, "seed": 3, "stop": ["x", "y"]}),
        ("chat/completions", {"messages": HI, "response_format": {"type": "json_object"}}),
        ("completions", {"prompt": CAPITAL}),
        ("completions", {"prompt": CAPITAL, "logprobs": 2}),
        ("completions", {"prompt": CAPITAL, "logprobs": 0}),
        ("completions", {"prompt": CAPITAL, "max_tokens": 0}),
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


async def test_completion_of_no_tokens_says_its_prompt_again(real: Api) -> None:
    answer = await real.sdk.completions.create(
        model=real.server.model, prompt=CAPITAL, echo=True, max_tokens=0
    )
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (CAPITAL, "length")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 0)


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
    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    for asking, param, code in (
        (
            real.sdk.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": [picture]}],
            ),
            None,
            None,
        ),
        (
            real.sdk.chat.completions.create(model=model, messages=HI, max_tokens="x"),  # type: ignore[call-overload]
            "max_tokens",
            "invalid_type",
        ),
        (real.sdk.chat.completions.create(model=model, messages=HI, n=99), "n", None),
        (
            real.sdk.chat.completions.create(model=model, messages=HI, tools=tools),
            "tools",
            "unsupported_parameter",
        ),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
        assert (refused.value.param, refused.value.code) == (param, code)


async def test_embeddings_are_near_where_sentences_are_alike(real: Api) -> None:
    """Alone and beside others: those of different lengths are computed together."""
    sentences = [
        "The cat sits on the mat in the kitchen.",
        "A cat is lying on the kitchen carpet.",
        "Interest rates rose by half a percent, which nobody had expected.",
        "No.",
    ]
    made = await embeddings(real, sentences)
    mat, carpet, interest, _ = made
    assert near(mat, carpet) > max(near(mat, interest), near(carpet, interest)) + 0.1
    for sentence, vector in zip(sentences, made, strict=True):
        assert near(vector, vector) == pytest.approx(1, abs=1e-4)
        (alone,) = await embeddings(real, sentence)
        assert near(alone, vector) == pytest.approx(1, abs=1e-3)
    (written,) = await embeddings(real, sentences[0], encoding_format="float")
    assert near(written, mat) == pytest.approx(1, abs=1e-3)
    with pytest.raises(openai.BadRequestError, match=r"of 2048 tokens at most.*2049") as refused:
        await embeddings(real, [300] * 2049)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="have 576 dimensions"):
        await embeddings(real, [[300, 301], [302]], dimensions=100)
    assert len(await embeddings(real, [[300, 301], [302]], dimensions=576)) == 2


async def embeddings(real: Api, inputs: Any, **asked: Any) -> list[list[float]]:
    answer = await real.sdk.embeddings.create(model=real.server.model, input=inputs, **asked)
    valid("CreateEmbeddingResponse", answer.model_dump(exclude_unset=True))
    assert answer.usage.prompt_tokens > 0
    return [each.embedding for each in answer.data]


def near(one: list[float], other: list[float]) -> float:
    """The cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
