"""Answers over OpenAI's client; llama.cpp is a stand-in. Numbers are those of the traps in
facts/local-models.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import openai
import pytest

from bot.local import generations
from bot.local.serving import cores
from tests.local.api import MODEL, Api
from tests.local.chunks import require_described, streamed
from tests.local.scripted import PATIENCE, ScriptedLlama, ScriptedTrainer
from tests.test_contract import valid

HI: Any = [{"role": "user", "content": "hi"}]


async def test_chat_is_answered_whole_and_streamed(api: Api) -> None:
    whole = await api.sdk.chat.completions.create(model=MODEL, messages=HI)
    assert whole.choices[0].message.content == "base says hi"
    assert (whole.model, whole.choices[0].finish_reason) == (MODEL, "stop")
    assert whole.usage is not None
    assert whole.usage.total_tokens == 5
    valid("CreateChatCompletionResponse", whole.model_dump(exclude_unset=True))
    chunks = [
        chunk
        async for chunk in await api.sdk.chat.completions.create(
            model=MODEL, messages=HI, stream=True
        )
    ]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "base says hi"
    for chunk in chunks:
        assert (chunk.model, chunk.usage) == (MODEL, None)


async def test_completions_have_ids_of_their_own_kind(api: Api) -> None:
    """Trap 6."""
    whole = await api.sdk.completions.create(model=MODEL, prompt="hi")
    assert (whole.choices[0].text, whole.id) == ("base says hi", "cmpl-1")
    valid("CreateCompletionResponse", whole.model_dump(exclude_unset=True))
    stream = await api.sdk.completions.create(model=MODEL, prompt="hi", stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks) == "base says hi"
    assert {chunk.id for chunk in chunks} == {"cmpl-1"}


@pytest.mark.parametrize(
    ("path", "asked"), [("chat/completions", {"messages": HI}), ("completions", {"prompt": "hi"})]
)
async def test_chunks_are_as_described_and_the_last_tells_what_was_used(
    path: str, asked: dict[str, Any], api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    body = {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}, **asked}
    asking = asyncio.create_task(streamed(api, path, body))
    question = await llama.question()
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    await question.says("a", logprobs={"content": [token]})
    await question.ends()
    *chunks, last = await asking
    assert all(chunk["choices"] and "usage" not in chunk for chunk in chunks)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 5)
    require_described(path, [*chunks, last])


@pytest.mark.parametrize("stream", [True, False])
async def test_prompt_of_several_answers_counts_once(
    stream: bool, api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    body = {"model": MODEL, "messages": HI, "n": 2, "stream_options": {"include_usage": True}}
    asked: Any = (
        streamed(api, "chat/completions", {**body, "stream": True})
        if stream
        else api.http.post("chat/completions", json=body)
    )
    asking = asyncio.create_task(asked)
    question = await llama.question()
    for index in (1, 0):
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        choice = {"index": index, "delta": {"content": "a"}, "finish_reason": "stop"}
        await question.sends({"choices": [choice], "usage": usage})
    await question.finishes()
    answer = await asking
    told = (answer[-1] if stream else answer.json())["usage"]
    assert told == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    if stream:
        assert [chunk["choices"][0]["index"] for chunk in answer[:-1]] == [1, 0]


async def test_what_llama_cpp_tells_more_is_passed_on(api: Api, llama: ScriptedLlama) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.http.post("completions", json={"model": MODEL, "prompt": "hi", "top_k": 3})
    )
    question = await llama.question()
    assert question.body["top_k"] == 3
    choice = {"index": 0, "text": "a", "finish_reason": "stop"}
    await question.sends({"choices": [choice], "timings": {"prompt_n": 3}})
    await question.finishes()
    whole = (await asking).json()
    assert (whole["timings"], whole["object"]) == ({"prompt_n": 3}, "text_completion")


async def test_prompts_are_echoed_where_that_is_asked_for(api: Api, llama: ScriptedLlama) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.sdk.completions.create(model=MODEL, prompt=["A", "B"], n=2, echo=True)
    )
    question = await llama.question()
    assert "echo" not in question.body  # vLLM would say it once more
    for index in (3, 0, 1, 2):
        for text in ("-", str(index)):
            await question.sends({"choices": [{"index": index, "text": text}]})
    await question.finishes()
    assert [choice.text for choice in (await asking).choices] == ["A-0", "A-1", "B-2", "B-3"]


@pytest.mark.parametrize(
    ("path", "asked", "param"),
    [
        ("completions", {}, "prompt"),
        ("completions", {"prompt": "a", "suffix": "b"}, "suffix"),
        ("completions", {"prompt": "a", "best_of": 2}, "best_of"),
        ("completions", {"prompt": "a", "echo": True, "logprobs": 1}, "echo"),
        ("completions", {"prompt": [1, 2], "echo": True}, "echo"),
        ("chat/completions", {}, "messages"),
        ("chat/completions", {"messages": []}, "messages"),
        ("chat/completions", {"messages": "hi"}, "messages"),
        ("chat/completions", {"messages": HI, "model": ""}, "model"),
        ("chat/completions", {"messages": [{"content": "hi"}]}, "messages[0]"),
        ("chat/completions", {"messages": [*HI, "hi"]}, "messages[1]"),
        ("chat/completions", {"messages": HI, "stream": "yes"}, "stream"),
        ("chat/completions", {"messages": HI, "n": 2.0}, "n"),
        ("chat/completions", {"messages": HI, "logprobs": 1}, "logprobs"),
        ("chat/completions", {"messages": HI, "stop": 5}, "stop"),
        ("chat/completions", {"messages": HI, "stop": ["a", ""]}, "stop"),
        ("chat/completions", {"messages": HI, "max_tokens": 0}, "max_tokens"),
        ("chat/completions", {"messages": HI, "max_completion_tokens": 0}, "max_completion_tokens"),
        ("completions", {"prompt": "a", "max_tokens": -1}, "max_tokens"),
        ("completions", {"prompt": "a", "max_tokens": True}, "max_tokens"),
        ("completions", {"prompt": "a", "echo": "yes"}, "echo"),
        ("completions", {"prompt": "a", "logprobs": True}, "logprobs"),
        ("chat/completions", {"messages": HI, "response_format": "json"}, "response_format"),
        ("chat/completions", {"messages": HI, "tools": "look"}, "tools"),
        ("chat/completions", {"messages": HI, "tool_choice": "required"}, "tool_choice"),
        ("chat/completions", {"messages": HI, "functions": [{"name": "look"}]}, "functions"),
        (
            "chat/completions",
            {"messages": HI, "response_format": {"type": "json_schema"}},
            "response_format.json_schema",
        ),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name_and_never_left_out(
    path: str, asked: dict[str, Any], param: str, api: Api, llama: ScriptedLlama
) -> None:
    response = await api.http.post(path, json={"model": MODEL, **asked})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert not llama.questions


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (
            400,
            {"message": "Field 'max_tokens': type must be number", "type": "invalid_request_error"},
            (400, "invalid_request_error", "max_tokens", None),
        ),
        (
            500,
            {"message": "image input is not supported - hint: mmproj", "type": "server_error"},
            (400, "invalid_request_error", None, None),
        ),
        (500, {"message": "a bug", "type": "server_error"}, (500, "server_error", None, None)),
        (
            500,
            {"message": "Failed to parse messages: no content", "type": "server_error"},
            (400, "invalid_request_error", None, None),
        ),
        (401, {"message": "Unauthorized"}, (502, "server_error", None, None)),
        (503, "Loading model", (503, "server_error", None, None)),
        (400, 5, (502, "server_error", None, None)),
        (
            400,
            {"message": "too long", "type": "exceed_context_size_error"},
            (400, "invalid_request_error", "messages", "context_length_exceeded"),
        ),
    ],
)
async def test_refusals_of_llama_cpp_have_openais_form(
    status: int,
    error: Any,
    told: tuple[int, str, str | None, str | None],
    api: Api,
    llama: ScriptedLlama,
) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.http.post("chat/completions", json={"model": MODEL, "messages": HI})
    )
    await (await llama.question()).refuses(status, error)
    response = await asking
    said = response.json()["error"]
    assert (response.status_code, said["type"], said["param"], said["code"]) == told


async def test_every_request_is_streamed_and_names_every_adapter(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer
) -> None:
    """Traps 2 and 3; and 1 and 5: the cache is off, and there is a key."""
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    asked = [name, MODEL, f"{name}:ckpt-step-2", name, MODEL]
    answers = [await api.ask(model) for model in asked]
    last, first = "adapter-4.gguf says hi", "adapter-2.gguf says hi"
    assert answers == [last, "base says hi", first, last, "base says hi"]
    for question in llama.questions:
        loaded = question.asked["adapters"]
        assert [one["id"] for one in question.body["lora"]] == list(range(len(loaded)))
        assert {scale for _, scale in loaded} <= {0.0}
        assert question.body["stream"] is True
        assert question.asked["cache"] == 0
        assert question.asked["key"]
    assert len(llama.questions[-1].body["lora"]) == 2


async def test_all_cores_read_and_one_less_writes(api: Api, llama: ScriptedLlama) -> None:
    await api.ask()
    assert llama.questions[-1].asked["threads"] == [cores(), max(1, cores() - 1)]


async def test_client_names_no_adapters_and_no_slots(api: Api, llama: ScriptedLlama) -> None:
    await api.ask(extra_body={"lora": [{"id": 0, "scale": 5}], "id_slot": 0, "top_k": 3})
    body = llama.questions[0].body
    assert (body["lora"], body["top_k"]) == ([], 3)
    assert "id_slot" not in body


async def test_answer_goes_on_while_the_model_is_replaced(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer
) -> None:
    """Trap 4: a server with the new adapter beside the old one, which ends with its last answer."""
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    llama.holds = True
    asking = asyncio.create_task(
        api.sdk.chat.completions.create(model=MODEL, messages=HI, stream=True)
    )
    old = await llama.question()
    await old.says("still")
    stream = await asking
    assert (await anext(aiter(stream))).choices[0].delta.content == "still"
    other = asyncio.create_task(api.ask(name))
    new = await llama.question()
    assert new.asked["process"] != old.asked["process"]
    assert new.used == ["adapter-4.gguf"]
    await new.says("new")
    await new.ends()
    assert await other == "new"
    status = (await api.http.get(str(api.server.base_url).replace("/v1", "/status"))).json()
    assert (status["answering"], status["model"]) == (1, MODEL)
    await old.says(" here")
    await old.ends()
    rest = [chunk.choices[0].delta.content async for chunk in stream]
    assert rest == [" here", None]
    await gone(old.asked["process"])
    os.kill(new.asked["process"], 0)


async def gone(process: int) -> None:
    """Return when a process has ended."""
    async with asyncio.timeout(30):
        while True:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0)


async def test_only_so_many_adapters_are_loaded_and_the_oldest_goes(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MOST_ADAPTERS", 1)
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    for model, file in ((name, "adapter-4.gguf"), (f"{name}:ckpt-step-2", "adapter-2.gguf")):
        assert await api.ask(model) == f"{file} says hi"
        assert [one for one, _ in llama.questions[-1].asked["adapters"]] == [file]


async def test_deleted_model_is_loaded_no_more_and_its_file_is_gone(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer
) -> None:
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    await api.ask(f"{name}:ckpt-step-2")
    await api.sdk.models.delete(f"{name}:ckpt-step-2")
    await api.ask()
    assert llama.questions[-1].asked["adapters"] == []
    with pytest.raises(openai.PermissionDeniedError, match="tunebot local remove"):
        await api.sdk.models.delete(MODEL)


async def test_adapter_that_another_process_deleted_is_loaded_no_more(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer
) -> None:
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    await api.ask(name)
    await api.ask(f"{name}:ckpt-step-2")
    file = next(Path(api.server.status()["adapters"][0]).parent.glob("adapter-2.gguf"))
    file.unlink()
    assert await api.ask() == "base says hi"
    assert [one for one, _ in llama.questions[-1].asked["adapters"]] == ["adapter-4.gguf"]
    with pytest.raises(openai.InternalServerError):
        await api.ask(f"{name}:ckpt-step-2")


async def test_adapter_that_a_training_wrote_anew_is_loaded_anew(
    api: Api, llama: ScriptedLlama, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    await run.steps(1, 2)
    file = await run.checks_in(2)
    await api.says(job.id, "Checkpoint created")
    (checkpoint,) = (await api.sdk.fine_tuning.jobs.checkpoints.list(job.id)).data
    name = checkpoint.fine_tuned_model_checkpoint
    before = [await api.ask(name), await api.ask(name)]
    file.write_text("GGUF of a training that began anew")
    after = [await api.ask(name), await api.ask(name)]
    assert {*before, *after} == {"adapter-2.gguf says hi"}
    first, second, third, fourth = (each.asked["process"] for each in llama.questions)
    assert first == second != third == fourth


async def test_model_is_deleted_where_another_process_deleted_one_that_is_loaded(
    api: Api, trainer: ScriptedTrainer
) -> None:
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    for model in name, f"{name}:ckpt-step-2":
        await api.ask(model)
    Path(api.server.status()["adapters"][0]).unlink()
    await api.sdk.models.delete(f"{name}:ckpt-step-2")
    assert api.server.status()["adapters"] == []


async def test_adapter_that_cannot_be_loaded_hurts_no_other(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    await run.checks_in(4, content="broken")
    await run.done()
    name = (await api.has(job.id, "succeeded")).fine_tuned_model or ""
    with pytest.raises(openai.InternalServerError, match="failed to load"):
        await api.ask(name)
    assert await api.ask() == "base says hi"


@pytest.mark.parametrize(("stream", "begun"), [(True, True), (True, False), (False, False)])
async def test_client_that_leaves_ends_its_answer(
    stream: bool, begun: bool, api: Api, llama: ScriptedLlama
) -> None:
    """Trap 2."""
    llama.holds = True
    asked: Any = api.sdk.chat.completions.create(model=MODEL, messages=HI, stream=stream)
    asking = asyncio.create_task(asked)
    question = await llama.question()
    if begun:
        await question.says("a")
        await (await asking).close()
    else:
        asking.cancel()
    await question.gone()


async def test_stream_that_breaks_is_no_whole_answer(api: Api, llama: ScriptedLlama) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.sdk.chat.completions.create(model=MODEL, messages=HI, stream=True)
    )
    question = await llama.question()
    await question.says("half")
    stream = await asking
    await question.breaks()
    with pytest.raises(openai.APIConnectionError):
        [chunk async for chunk in stream]


async def test_error_within_a_stream_is_passed_on(api: Api, llama: ScriptedLlama) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.sdk.chat.completions.create(model=MODEL, messages=HI, stream=True)
    )
    question = await llama.question()
    await question.says("half")
    stream = await asking
    await question.sends({"error": {"code": 500, "message": "out of memory in the graph"}})
    with pytest.raises(openai.APIError, match="out of memory in the graph"):
        [chunk async for chunk in stream]


NO_ANSWER = "something else than an answer"
BAD_LINES = [
    f"data: {data}"
    for data in (
        "no JSON",
        "5",
        "[]",
        "{}",
        '{"choices": null}',
        '{"choices": {}}',
        '{"choices": [null]}',
        '{"choices": [{"delta": {"content": "a"}}]}',
        '{"choices": [{"index": "0", "delta": {}}]}',
        '{"choices": [{"index": -1, "delta": {}}]}',
        '{"choices": [{"index": 0, "delta": "a"}]}',
        '{"choices": [{"index": 0, "logprobs": {"content": [{"token": 1}]}}]}',
        '{"choices": [{"index": 0, "logprobs": {"content": 5}}]}',
        '{"choices": [{"index": 0, "logprobs": {"tokens": 5}}]}',
        '{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1000000000}]}}]}',
        '{"choices": [{"index": 0, "delta": {"tool_calls": 5}}]}',
        '{"choices": [], "usage": {"prompt_tokens": "3"}}',
        '{"choices": [], "usage": {"prompt_tokens": 3}}',
        '{"choices": [{"index": 0, "delta": {"content": "\\ud800"}}]}',
        '{"choices": [{"index": 0, "delta": {}, "score": NaN}]}',
        "[" * 100_000,
    )
]


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:80])
@pytest.mark.parametrize("stream", [True, False])
async def test_chunk_that_is_none_ends_the_answer_with_an_error(
    stream: bool,
    line: str,
    api: Api,
    llama: ScriptedLlama,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A vLLM is somebody else's."""
    llama.holds = True
    body = {"model": MODEL, "messages": HI, "stream": stream}
    asking = asyncio.create_task(api.http.post("chat/completions", json=body))
    question = await llama.question()
    await question.says("half")
    await question.sends_line(line)
    async with asyncio.timeout(PATIENCE):
        answer = await asking
    told = answer.text.strip().rpartition("\n")[2].removeprefix("data: ") if stream else answer.text
    assert NO_ANSWER in json.loads(told)["error"]["message"]
    assert json.loads(told)["error"]["type"] == "server_error"
    assert answer.status_code == (200 if stream else 502)
    assert "Traceback" not in "".join(capfd.readouterr())
    llama.holds = False
    assert await api.ask() == "base says hi"


@pytest.mark.parametrize("stream", [True, False])
async def test_answer_without_any_choice_is_none(
    stream: bool, api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    body = {"model": MODEL, "messages": HI, "stream": stream}
    asking = asyncio.create_task(api.http.post("chat/completions", json=body))
    question = await llama.question()
    await question.sends({"choices": []})
    await question.finishes()
    assert NO_ANSWER in (await asking).text


@pytest.mark.parametrize(
    "error", ["overloaded", {"message": "overloaded", "code": 503}, {"message": "overloaded"}]
)
async def test_error_within_a_stream_has_openais_form(
    error: object, api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(
        api.http.post("chat/completions", json={"model": MODEL, "messages": HI})
    )
    question = await llama.question()
    await question.sends_line(f"data: {json.dumps({'error': error})}")
    answer = await asking
    code = error.get("code", 500) if isinstance(error, dict) else 500
    assert (answer.status_code, answer.json()["error"]["message"]) == (code, "overloaded")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"tiny","prompt":"\\ud800"}',
        b'{"model":"\\ud800","prompt":"a"}',
        b'{"model":"tiny","prompt":"a","temperature":NaN}',
        b'{"model":"tiny","prompt":"a","temperature":1e999}',
        b'{"model":"tiny","prompt":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\xfe{",
        b"[]",
        b"",
    ],
    ids=lambda body: body[:60],
)
async def test_body_that_is_no_json_is_refused(body: bytes, api: Api, llama: ScriptedLlama) -> None:
    for path in "completions", "chat/completions", "embeddings", "fine_tuning/jobs":
        response = await api.http.post(path, content=body)
        assert response.status_code == 400
        assert "could not parse the JSON body" in response.json()["error"]["message"]
    assert not llama.questions


async def test_whole_answer_that_breaks_may_be_asked_for_again(
    api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.ask())
    question = await llama.question()
    await question.says("half")
    await question.breaks()
    with pytest.raises(openai.InternalServerError, match="try again"):
        await asking


async def test_model_that_died_is_back_soon(api: Api, llama: ScriptedLlama) -> None:
    await api.ask()
    os.kill(llama.questions[0].asked["process"], signal.SIGKILL)
    refused: list[openai.APIStatusError] = []
    async with asyncio.timeout(30):
        while True:
            try:
                said = await api.ask()
                break
            except openai.InternalServerError as error:
                refused.append(error)
    assert said == "base says hi"
    for each in refused:
        assert each.status_code == 503
        assert each.response.headers["Retry-After"] == "1"


async def test_prompt_over_the_context_is_refused_in_openais_words(
    api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.ask())
    error = {
        "code": 400,
        "message": "the request exceeds the available context size",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 3000,
        "n_ctx": 2048,
    }
    await (await llama.question()).refuses(400, error)
    with pytest.raises(openai.BadRequestError, match="context length is 2048 tokens") as refused:
        await asking
    assert refused.value.code == "context_length_exceeded"


TOOLS: Any = [{"type": "function", "function": {"name": "look", "parameters": {}}}]


async def test_model_whose_template_knows_no_tools_says_so(api: Api, llama: ScriptedLlama) -> None:
    llama.takes_tools = False
    with pytest.raises(openai.BadRequestError, match="knows no tools") as refused:
        await api.ask(tools=TOOLS)
    assert refused.value.param == "tools"
    assert not llama.questions
    assert await api.ask(tools=TOOLS, tool_choice="none") == "base says hi"
    llama.takes_tools = True
    assert await api.ask(tools=TOOLS, tool_choice="required") == "base says hi"
    assert llama.questions[-1].body["tools"] == TOOLS


async def test_calls_of_tools_come_together(api: Api, llama: ScriptedLlama) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.sdk.chat.completions.create(model=MODEL, messages=HI))
    question = await llama.question()
    for call in (
        {"index": 0, "id": "a", "function": {"name": "look", "arguments": '{"at'}},
        {"index": 0, "function": {"arguments": '": 1}'}},
        {"index": 1, "id": "b", "function": {"name": "go", "arguments": "{}"}},
    ):
        await question.sends({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
    await question.ends()
    whole = await asking
    calls: Any = whole.choices[0].message.tool_calls
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("a", "look", '{"at": 1}'),
        ("b", "go", "{}"),
    ]
    valid("CreateChatCompletionResponse", whole.model_dump(exclude_unset=True))


async def test_log_probabilities_of_completions_have_their_older_form(
    api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.sdk.completions.create(model=MODEL, prompt="x", logprobs=1))
    question = await llama.question()
    for word in ("ab", "c"):
        token = {"token": word, "logprob": -1.0, "top_logprobs": [{"token": "z", "logprob": -2.0}]}
        await question.says(word, logprobs={"content": [token]})
    await question.ends()
    whole = await asking
    told = whole.choices[0].logprobs
    assert told is not None
    assert (told.tokens, told.text_offset, told.token_logprobs) == (["ab", "c"], [0, 2], [-1, -1])
    valid("CreateCompletionResponse", whole.model_dump(exclude_unset=True))


async def test_log_probabilities_in_the_older_form_stay_as_they_are(
    api: Api, llama: ScriptedLlama
) -> None:
    """vLLM has it."""
    llama.holds = True
    asking = asyncio.create_task(api.sdk.completions.create(model=MODEL, prompt="x", logprobs=1))
    question = await llama.question()
    for offset, word in ((0, "ab"), (2, "c")):
        sent = {"tokens": [word], "token_logprobs": [-1.0], "text_offset": [offset]}
        await question.says(word, logprobs={**sent, "top_logprobs": [{word: -1.0}]})
    await question.ends()
    told = (await asking).choices[0].logprobs
    assert told is not None
    assert (told.tokens, told.text_offset) == (["ab", "c"], [0, 2])


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("chat/completions", {"messages": HI, "logprobs": True}),
        ("completions", {"prompt": "x", "logprobs": 0}),
    ],
)
async def test_log_probabilities_come_without_alternatives_that_were_not_asked_for(
    path: str, asked: dict[str, Any], api: Api, llama: ScriptedLlama
) -> None:
    """llama.cpp would tell twenty, or nothing at all."""
    llama.holds = True
    asking = asyncio.create_task(api.http.post(path, json={"model": MODEL, **asked}))
    question = await llama.question()
    is_chat = "messages" in asked
    assert question.body["top_logprobs" if is_chat else "logprobs"] == 1
    token = {"token": "a", "logprob": -1.0, "bytes": [97]}
    other = {"token": "z", "logprob": -2.0, "bytes": [122]}
    await question.says("a", logprobs={"content": [{**token, "top_logprobs": [other]}]})
    await question.ends()
    answer = (await asking).json()
    told = answer["choices"][0]["logprobs"]
    if is_chat:
        assert told["content"] == [{**token, "top_logprobs": []}]
    else:
        assert (told["tokens"], told["top_logprobs"]) == (["a"], [{}])
    valid("CreateChatCompletionResponse" if is_chat else "CreateCompletionResponse", answer)


@pytest.mark.parametrize("stream", [True, False])
async def test_completion_of_no_tokens_is_its_prompt(
    stream: bool, api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    body = {"model": MODEL, "prompt": "x", "max_tokens": 0, "echo": True, "stream": stream}
    asked: Any = (
        streamed(api, "completions", {**body, "stream_options": {"include_usage": True}})
        if stream
        else api.http.post("completions", json=body)
    )
    asking = asyncio.create_task(asked)
    question = await llama.question()
    assert question.body["max_tokens"] == 1
    await question.says("a")
    choice = {"index": 0, "finish_reason": "stop", "text": ""}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    await question.sends({"choices": [choice], "usage": usage})
    await question.finishes()
    answer = await asking
    parts = answer[:-1] if stream else [answer.json()]
    assert "".join(part["choices"][0]["text"] for part in parts) == "x"
    assert parts[-1]["choices"][0]["finish_reason"] == "length"
    told = answer[-1] if stream else answer.json()
    assert told["usage"] == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}


async def test_several_prompts_are_answered_each_at_its_place(
    api: Api, llama: ScriptedLlama
) -> None:
    llama.holds = True
    asking = asyncio.create_task(api.sdk.completions.create(model=MODEL, prompt=["a", "b"]))
    question = await llama.question()
    await question.sends(None)
    for index, word in ((1, "B"), (0, "A")):
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        choice = {"index": index, "text": word, "finish_reason": "stop"}
        await question.sends({"choices": [choice], "usage": usage})
    await question.finishes()
    whole = await asking
    assert [choice.text for choice in whole.choices] == ["A", "B"]
    assert whole.usage is not None
    assert (whole.usage.completion_tokens, whole.usage.total_tokens) == (4, 6)


async def test_unknown_model_and_unknown_path_are_told_in_openais_form(api: Api) -> None:
    with pytest.raises(openai.NotFoundError, match="`gpt-9` does not exist"):
        await api.ask("gpt-9")
    with pytest.raises(openai.NotFoundError, match="Unknown request URL: POST /v1/moderations"):
        await api.sdk.moderations.create(input="x")
    response = await api.http.post("/chat/completions", content=b"no JSON")
    assert response.status_code == 400
    assert (await api.http.post("/chat/completions", json={})).status_code == 400


async def test_adapters_are_in_the_data_folder(
    api: Api, trainer: ScriptedTrainer, tmp_path: Path
) -> None:
    await api.tuned(trainer)
    found = {path.name for path in (tmp_path / "tuning" / "jobs").rglob("*.gguf")}
    assert found == {"adapter-2.gguf", "adapter-4.gguf"}
