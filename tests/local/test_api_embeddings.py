"""Embeddings over OpenAI's client; llama.cpp is a stand-in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.local.api import MODEL, Api
from tests.local.processes import on_linux
from tests.local.scripted import ScriptedLlama, ScriptedTrainer
from tests.test_contract import valid

TOO_LARGE = (
    "input (3001 tokens) is too large to process. increase the physical batch size (current batch "
    "size: 2048)"
)
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5]}
USAGE = {"prompt_tokens": 1, "total_tokens": 1}


@pytest.mark.parametrize(
    ("inputs", "count"),
    [("hi", 1), (["hi", "ho", "hi"], 3), ([5, 6, 7], 1), ([[5], [6, 7]], 2)],
    ids=["text", "texts", "tokens", "lists of tokens"],
)
async def test_every_input_has_its_embedding_at_its_place(
    inputs: Any, count: int, api: Api, llama: ScriptedLlama
) -> None:
    """The client asks for base64 where nothing is said."""
    forms: tuple[dict[str, Any], ...] = ({}, {"encoding_format": "float"})
    for wanted in forms:
        answer = await api.sdk.embeddings.create(model=MODEL, input=inputs, **wanted)
        assert [each.index for each in answer.data] == [*range(count)]
        assert [each.embedding for each in answer.data] == [[place, 0.5] for place in range(count)]
        assert (answer.model, answer.usage.total_tokens) == (MODEL, count)
        valid("CreateEmbeddingResponse", answer.model_dump(exclude_unset=True))
    asked = [question.body["encoding_format"] for question in llama.questions]
    assert asked == ["base64", "float"]
    assert {json.dumps(question.body["input"]) for question in llama.questions} == {
        json.dumps(inputs)
    }


@pytest.mark.parametrize(
    "inputs",
    [
        "",
        [],
        [[]],
        ["a", ""],
        [[1], []],
        ["a", 1],
        [1, [1]],
        [1.5],
        [True],
        {"a": 1},
        5,
        ["a"] * 2049,
        None,
    ],
    ids=lambda inputs: str(inputs)[:20],
)
async def test_input_that_is_none_is_refused(inputs: Any, api: Api, llama: ScriptedLlama) -> None:
    response = await api.http.post("embeddings", json={"model": MODEL, "input": inputs})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "input")
    assert not llama.questions


@pytest.mark.parametrize(
    "asked",
    [
        {"encoding_format": "int8"},
        {"encoding_format": 5},
        {"dimensions": "2"},
        {"dimensions": True},
        {"dimensions": 1},
        {"dimensions": 3},
        {"dimensions": 3, "encoding_format": "base64"},
    ],
    ids=str,
)
async def test_form_that_embeddings_do_not_have_is_refused(asked: dict[str, Any], api: Api) -> None:
    response = await api.http.post("embeddings", json={"model": MODEL, "input": "hi", **asked})
    assert (response.status_code, response.json()["error"]["param"]) == (400, next(iter(asked)))


@pytest.mark.parametrize("form", ["float", "base64", None])
async def test_dimensions_that_the_model_has_may_be_asked_for(form: str | None, api: Api) -> None:
    body = {"model": MODEL, "input": "hi", "dimensions": 2, "encoding_format": form}
    assert (await api.http.post("embeddings", json=body)).status_code == 200


async def test_tuned_model_names_the_base_that_makes_embeddings(
    api: Api, trainer: ScriptedTrainer
) -> None:
    tuned = (await api.tuned(trainer)).fine_tuned_model or ""
    with pytest.raises(openai.BadRequestError, match=f"ask its base, {MODEL}") as refused:
        await api.sdk.embeddings.create(model=tuned, input="hi")
    assert refused.value.param == "model"


async def test_input_over_the_context_is_refused_in_openais_words(
    api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.sdk.embeddings.create(model=MODEL, input="hi"))
    error = {"code": 500, "message": TOO_LARGE, "type": "server_error"}
    await (await llama.question()).refuses(500, error)
    with pytest.raises(openai.BadRequestError, match=r"of 2048 tokens at most.*3001") as refused:
        await asking
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "input")


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "[]",
        "{}",
        '{"data": 5}',
        json.dumps({"data": [VECTOR]}),
        json.dumps({"data": [VECTOR, VECTOR], "usage": USAGE}),
        json.dumps({"data": [{**VECTOR, "embedding": "no base64"}], "usage": USAGE}),
        json.dumps({"data": [{**VECTOR, "index": 1}], "usage": USAGE}),
    ],
)
async def test_embeddings_that_are_none_are_an_error(
    said: str, api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.http.post("embeddings", json={"model": MODEL, "input": "hi"}))
    await (await llama.question()).answers(200, said)
    answer = await asking
    assert (answer.status_code, "something else than an answer" in answer.text) == (502, True)


async def test_start_that_fails_is_said_and_tried_again(api: Api, tmp_path: Path) -> None:
    model = tmp_path / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF no embeddings")
    for _ in range(2):
        with pytest.raises(openai.InternalServerError, match="failed to pool") as refused:
            await api.sdk.embeddings.create(model=MODEL, input="hi")
        assert (refused.value.status_code, refused.value.code) == (503, "model_not_available")
    assert await api.ask() == "base says hi"
    model.write_bytes(b"GGUF")
    assert len((await api.sdk.embeddings.create(model=MODEL, input="hi")).data) == 1


@on_linux
async def test_status_tells_the_memory_of_embeddings_while_they_are_made(api: Api) -> None:
    assert api.server.status()["memory"]["embeddings"] == 0
    await api.sdk.embeddings.create(model=MODEL, input="hi")
    assert api.server.status()["memory"]["embeddings"] > 0
