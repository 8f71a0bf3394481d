"""/v1: OpenAI's own client talks to our profiles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from adapters.http.completions import rest
from bot.errors import (
    AccessDenied,
    AnswerBroken,
    BotError,
    ContextTooLong,
    ModelRefused,
    ModelUnavailable,
    StoreBusy,
    TooFast,
)
from bot.messages import Chunk, ConversationId, Ending, Person, Profile, Role, Said, Turn, Usage
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.answers import Growing, Withdrawals
from tests.adapters.http.stage import Server
from tests.test_contract import valid

PATH = "/v1/chat/completions"
HI: dict[str, Any] = {"model": "assistant", "messages": [{"role": "user", "content": "hi"}]}
TALK = {"X-Conversation-Id": "garden"}
GARDEN = ConversationId("http", "v1:", "garden")


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    base_url = f"{server.client.base_url}v1"
    async with AsyncOpenAI(api_key="any", base_url=base_url, max_retries=0) as client:
        yield client


async def ask(server: Server, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    response = await server.client.post(PATH, json={**HI, **changes}, headers=headers)
    return response.json()


async def test_profiles_are_models(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["assistant", "support"]


async def test_openai_client_gets_an_answer(client: AsyncOpenAI) -> None:
    completion = await client.chat.completions.create(**HI)
    assert completion.model == "assistant"
    assert completion.choices[0].message.content == "Hello there"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage
    assert completion.usage.total_tokens == 5


@pytest.mark.parametrize("usage", [False, True])
async def test_openai_client_gets_a_stream(client: AsyncOpenAI, usage: bool) -> None:
    stream = await client.chat.completions.create(
        **HI, stream=True, stream_options={"include_usage": usage}
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert [delta.content for delta in deltas if delta.content] == ["Hello", " there"]
    assert [delta.role for delta in deltas if delta.role] == ["assistant"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    counted = [chunk.usage.total_tokens for chunk in chunks if chunk.usage]
    assert counted == ([5] if usage else [])


async def test_answers_and_errors_are_as_openai_describes_them(server: Server) -> None:
    valid("ListModelsResponse", (await server.client.get("/v1/models")).json())
    valid("CreateChatCompletionResponse", await ask(server))
    valid("ErrorResponse", await ask(server, n=2))
    body = {**HI, "stream": True, "stream_options": {"include_usage": True}}
    stream = (await server.client.post(PATH, json=body)).text
    *chunks, done, _ = (each for each in stream.split("\n\n") if not each.startswith(":"))
    assert done == "data: [DONE]"
    for chunk in (json.loads(chunk.removeprefix("data: ")) for chunk in chunks):
        for choice in chunk["choices"]:
            # It is null until the end, which only the description's text says.
            choice["finish_reason"] = choice["finish_reason"] or "stop"
        valid("CreateChatCompletionStreamResponse", chunk)


async def test_what_was_said_reaches_the_model_and_is_remembered_nowhere(
    server: Server, core: FakeCore
) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Hel"}, text("lo")]},
        {"role": "developer", "content": "Be polite."},
        {"role": "user", "content": [text("and now?")], "name": "ann"},
    ]
    await ask(server, messages=messages, user="ann")
    ((person, profile, turns),) = core.completed
    assert person == Person("http:ann")
    assert profile.name == "assistant"
    assert profile.system == "Be brief.\n\nBe polite."
    assert [(turn.role, turn.text) for turn in turns] == [
        (Role.USER, "hi"),
        (Role.ASSISTANT, "Hello"),
        (Role.USER, "and now?"),
    ]
    assert core.received == []


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


async def test_profile_keeps_what_the_request_does_not_say(server: Server, core: FakeCore) -> None:
    await ask(server, temperature=None, stop=None, tools=None, n=1, logprobs=False, store=True)
    assert core.completed[0][1] == core.profiles[0]


async def test_parameters_are_passed_on(server: Server, core: FakeCore) -> None:
    core.profiles = [
        Profile("assistant", "p", "m", params={"max_tokens": 500, "top_k": 3, "top_p": 0.5})
    ]
    given: Any = {
        "temperature": 1,
        "top_p": 0.9,
        "max_completion_tokens": 20,
        "seed": 7,
        "user": "ann",
    }
    given |= {"presence_penalty": 0.1, "frequency_penalty": -0.1}
    await ask(server, **given, stop="END")
    profile = core.completed[0][1]
    assert profile.params == {"top_k": 3, **given}
    assert profile.stop == ("END",)


async def test_stops_of_a_completions_model_stay_beside_those_of_the_request(
    server: Server, core: FakeCore
) -> None:
    core.profiles = [Profile("assistant", "p", "m", "completions", stop=(".\n",))]
    await ask(server, stop=["END", ".\n"])
    assert core.completed[0][1].stop == (".\n", "END")
    assert (await ask(server, stop=["1", "2", "3", "4"]))["error"]["param"] == "stop"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "hi"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "x"}]}]}, "messages[0].content"),
        ({"messages": "hi"}, "messages"),
        ({"model": 3}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": 1.5}, "seed"),
        ({"stop": ["1", "2", "3", "4", "5"]}, "stop"),
        ({"stop": 3}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"user": "a\nb"}, "user"),
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": []}, "functions"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"modalities": ["audio"]}, "modalities[0]"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
    ],
)
async def test_what_no_profile_offers_is_refused_by_its_name(
    server: Server, changes: dict[str, Any], param: str
) -> None:
    body = json.dumps({**HI, **changes})
    headers = {"content-type": "application/json"}
    response = await server.client.post(PATH, content=body, headers=headers)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert error["message"].startswith(param)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"{", b'{"model": "\\ud83d"}', b'{"n": 1, "n": 1}'])
async def test_body_that_is_no_json_is_refused(server: Server, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = await server.client.post(PATH, content=body, headers=headers)
    assert response.status_code == 400
    assert "not JSON" in response.json()["error"]["message"]


async def test_model_that_is_not_there_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-9'") as caught:
        await client.chat.completions.create(**{**HI, "model": "gpt-9"})
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (AccessDenied("Sorry."), openai.PermissionDeniedError, None),
        (TooFast("That was too fast."), openai.RateLimitError, "rate_limit_exceeded"),
        (ContextTooLong("Too long."), openai.BadRequestError, "context_length_exceeded"),
        (ModelRefused("Bad temperature.", 400), openai.BadRequestError, None),
        (ModelRefused("Wrong key.", 401), openai.InternalServerError, None),
        (ModelUnavailable("Out of reach."), openai.InternalServerError, None),
        (AnswerBroken("It broke off."), openai.InternalServerError, None),
        (StoreBusy("The database is busy."), openai.InternalServerError, None),
    ],
)
async def test_failures_are_the_exceptions_of_openais_client(
    client: AsyncOpenAI,
    core: FakeCore,
    error: BotError,
    kind: type[openai.APIStatusError],
    code: str | None,
    stream: bool,
) -> None:
    core.completion = [error]
    with pytest.raises(kind, match=str(error)) as caught:
        await client.chat.completions.create(**HI, stream=stream)
    assert caught.value.code == code


async def test_answer_that_breaks_off_ends_the_stream_with_the_sentence(
    client: AsyncOpenAI, core: FakeCore
) -> None:
    core.completion = [Chunk("Hel"), AnswerBroken("The model broke off.")]
    stream = await client.chat.completions.create(**HI, stream=True)
    with pytest.raises(openai.APIError, match=r"The model broke off\."):
        _ = [chunk async for chunk in stream]


@pytest.mark.parametrize("stream", [False, True])
async def test_client_that_goes_away_ends_the_model_call(
    server: Server, core: FakeCore, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def endless(
        person: Person,  # noqa: ARG001
        profile: Profile,  # noqa: ARG001
        turns: Sequence[Turn],  # noqa: ARG001
    ) -> AsyncGenerator[Chunk, None]:
        try:
            yield Chunk("Hello")
            begun.set()
            await core.stopped.wait()
        finally:
            closed.set()

    monkeypatch.setattr(core, "complete", endless)
    request = asyncio.create_task(ask(server, stream=stream))
    await asyncio.wait_for(begun.wait(), 10)
    request.cancel()
    await asyncio.wait_for(closed.wait(), 10)


async def test_conversation_gets_the_last_message_only(client: AsyncOpenAI, core: FakeCore) -> None:
    messages: list[Any] = [*HI["messages"], {"role": "user", "content": "and now?"}]
    completion = await client.chat.completions.create(
        model="assistant", messages=messages, extra_headers=TALK, user="ann"
    )
    assert completion.choices[0].message.content == "You said: and now?"
    assert completion.usage
    assert completion.usage.total_tokens == 5
    (received,) = core.received
    assert received.conversation == GARDEN
    assert received.person == Person("http:ann")
    assert received.text == "and now?"
    assert received.profile == "assistant"
    assert core.completed == []


async def test_conversation_streams(client: AsyncOpenAI, core: FakeCore) -> None:
    core.answer = answer = Growing()
    stream = await client.chat.completions.create(**HI, stream=True, extra_headers=TALK)
    seen = aiter(stream)
    await answer.show("Hel")
    for grown, delta in (("Hello", "Hel"), ("Hello there", "lo")):
        await answer.show(grown)
        while not (content := (await anext(seen)).choices[0].delta.content):
            pass
        assert content == delta
    answer.end()
    last = [chunk.choices[0] async for chunk in seen]
    assert "".join(choice.delta.content or "" for choice in last) == " there"
    assert last[-1].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("snapshots", [["Hello"], ["Hel", "Hello"], ["Hello", "Bye", "Hello"]])
async def test_sentence_below_an_answer_in_a_conversation_is_no_part_of_it(
    server: Server, core: FakeCore, snapshots: list[str], stream: bool
) -> None:
    core.answer = answer = Growing()
    headers = {**TALK, "X-Question-Id": "q"}
    request = asyncio.create_task(
        server.client.post(PATH, json={**HI, "stream": stream}, headers=headers)
    )
    await answer.begun()
    for text in [*snapshots, f"{snapshots[-1]}\n\n_(The database is busy.)_", "Hello there"]:
        await answer.show(text)
        for _ in range(20):
            await asyncio.sleep(0)  # a request may look at every snapshot
    answer.end()
    assert spoken((await request).text) == "Hello there"


def spoken(body: str) -> str:
    """The text of an answer that came whole or in pieces."""
    if body.startswith("{"):
        return str(json.loads(body)["choices"][0]["message"]["content"])
    pieces = [each.removeprefix("data: ") for each in body.split("\n\n") if "choices" in each]
    deltas = (json.loads(piece)["choices"][0]["delta"] for piece in pieces)
    return "".join(delta.get("content", "") for delta in deltas)


async def test_answer_that_is_another_one_than_was_streamed_is_given_whole() -> None:
    assert rest("Hello", "Hello there") == " there"
    assert rest("Hello", "Sorry.") == "\n\nSorry."


@pytest.mark.parametrize("header", ["X-Question-Id", "Idempotency-Key"])
async def test_same_question_in_a_conversation_has_the_same_answer(
    server: Server, core: FakeCore, header: str
) -> None:
    first, again = [await ask(server, {**TALK, header: "q"}) for _ in range(2)]
    assert again["choices"] == first["choices"]
    assert len(core.received) == 1


@pytest.mark.parametrize(
    ("ending", "finish"),
    [
        (Ending.LENGTH, "length"),
        (Ending.FILTERED, "content_filter"),
        (Ending.STOPPED, "stop"),
        (Ending.FAILED, "stop"),
    ],
)
async def test_ending_in_a_conversation_is_a_finish_reason(
    server: Server, core: FakeCore, ending: Ending, finish: str
) -> None:
    core._said[GARDEN, "q"] = Said("turn-1", "Hello", ending, Usage(1, 1))
    choice = (await ask(server, {**TALK, "X-Question-Id": "q"}))["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello", finish)


async def test_client_that_leaves_a_conversation_withdraws_its_question(
    server: Server, core: FakeCore
) -> None:
    core.answer = answer = Growing()
    withdrawals = Withdrawals(core)
    request = asyncio.create_task(ask(server, {**TALK, "X-Question-Id": "q"}))
    await answer.begun()
    request.cancel()
    assert await withdrawals.next() == "q"


@pytest.mark.parametrize("name", ["x" * 129, "a\tb"])
async def test_name_of_a_conversation_is_an_id(server: Server, name: str) -> None:
    error = (await ask(server, {"X-Conversation-Id": name}))["error"]
    assert error["param"] == "X-Conversation-Id"
