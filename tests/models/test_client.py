"""What a whole answer looks like, and what is on the wire."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.errors import ModelRefused, ModelUnavailable
from bot.messages import Provider, Usage
from bot.models.client import HttpModelClient
from bot.ports import ModelClient
from tests.clock import HeldClock
from tests.models.conftest import CHAT, KEY, TUNED, Talk, Talks, body
from tests.scripted_model import Answer, Raw, Refusal, ScriptedModel


async def test_answer_comes_in_pieces_and_the_last_one_has_finish_and_usage(talk: Talk) -> None:
    heard = await talk.ask(question="how are you")
    assert heard.text == "You said: how are you"
    assert len(heard.chunks) > 2
    assert heard.chunks[-1].text == ""
    assert heard.finish == "stop"
    assert heard.usage == Usage(3, 5)
    assert all(not chunk.finish and not chunk.usage for chunk in heard.chunks[:-1])


async def test_client_is_the_port(talk: Talk) -> None:
    port: ModelClient = talk.client
    async with aclosing(port.stream(CHAT, body(CHAT, "hi", {}))) as chunks:
        assert "".join([chunk.text async for chunk in chunks]) == "You said: hi"


async def test_request_has_the_key_the_stream_and_the_profiles_own_params(talks: Talks) -> None:
    talk = talks(organization="org-7", headers={"X-Team": "blue"})
    await talk.ask(temperature=0.5, max_tokens=7)
    [request] = talk.model.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["openai-organization"] == "org-7"
    assert request.headers["x-team"] == "blue"
    assert request.body == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "max_tokens": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_provider_without_a_key_is_sent_none(talks: Talks) -> None:
    talk = talks(key="")
    await talk.ask()
    assert "authorization" not in talk.model.requests[0].headers


async def test_user_and_password_in_the_address_are_sent_as_a_header(talks: Talks) -> None:
    talk = talks(key="")
    talk.client.connect("openai", f"http://me:p%40ss@127.0.0.1:{talk.model.port}/v1")
    await talk.ask()
    [request] = talk.model.requests
    assert request.headers["authorization"] == "Basic bWU6cEBzcw=="
    assert request.headers["host"] == f"127.0.0.1:{talk.model.port}"


async def test_key_with_a_line_break_from_a_file_works(talks: Talks) -> None:
    talk = talks(key=KEY + "\n")
    assert (await talk.ask()).finish == "stop"


async def test_azure_deployment_is_in_the_path_and_the_key_in_its_header(talks: Talks) -> None:
    root = "http://127.0.0.1:{}"
    for base in (root, root + "/openai", root + "/openai/v1/"):
        talk = talks(kind="azure", api_version="2024-10-21")
        talk.client.connect("openai", base.format(talk.model.port), KEY)
        assert (await talk.ask()).finish == "stop"
        request = talk.model.requests[-1]
        assert request.path == (
            "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
        )
        assert request.headers["api-key"] == KEY
        assert "authorization" not in request.headers


async def test_azure_without_api_version_is_asked_as_openai(talks: Talks) -> None:
    talk = talks(kind="azure")
    talk.client.connect("openai", f"http://127.0.0.1:{talk.model.port}", KEY)
    await talk.ask()
    talk.client.connect("openai", talk.model.base_url, KEY)
    await talk.ask()
    paths = [request.path for request in talk.model.requests]
    assert paths == ["/openai/v1/chat/completions", "/v1/chat/completions"]


async def test_completions_answer_has_no_prefix_and_keeps_the_mark_of_its_stop(talk: Talk) -> None:
    talk.model.script(Answer(" We open at nine.\nCustomer: and"))
    heard = await talk.ask(TUNED, "When?")
    assert heard.text == "We open at nine."
    assert talk.model.bodies[0]["prompt"] == "When?\nAgent:"
    assert talk.model.requests[0].path == "/v1/completions"


async def test_answer_that_goes_on_where_it_was_cut_keeps_its_first_space(talk: Talk) -> None:
    talk.model.script(Answer(" at nine.\n"))
    going_on = {"model": "davinci-002", "prompt": "When?\nAgent: We open", "stop": [".\n"]}
    async with aclosing(talk.client.stream(TUNED, going_on)) as chunks:
        assert "".join([chunk.text async for chunk in chunks]) == " at nine."


async def test_mark_is_not_added_where_the_sentence_has_one(talk: Talk) -> None:
    talk.model.script(Answer(" Really?"))
    assert (await talk.ask(TUNED)).text == "Really?"


async def test_answer_cut_by_its_limit_gets_no_mark(talk: Talk) -> None:
    talk.model.script(Answer(" We open at", finish="length"))
    heard = await talk.ask(TUNED)
    assert (heard.text, heard.finish) == ("We open at", "length")


async def test_server_that_ignores_stops_is_cut_off_and_hung_up_on(talk: Talk) -> None:
    forever = asyncio.Event()
    chunks = [" Yes", ".", "\n", "Customer", ": more"]
    talk.model.script(Answer(chunks=chunks, ignore_stops=True, hold=forever, hold_at=4))
    heard = await talk.ask(TUNED)
    assert (heard.text, heard.finish) == ("Yes.", "stop")
    assert heard.usage == Usage(4, 2, counted=True)
    await talk.model.until(lambda: talk.model.disconnects == 1)


async def test_chat_is_trimmed_at_its_stops_too(talk: Talk) -> None:
    talk.model.script(Answer("one END two", ignore_stops=True))
    assert (await talk.ask(replace(CHAT, stop=(" END",)))).text == "one"


async def test_usage_is_counted_where_the_server_tells_none(talk: Talk) -> None:
    talk.model.script(Answer("Hello there", usage=False))
    assert (await talk.ask()).usage == Usage(8, 2, counted=True)


async def test_server_that_does_not_know_stream_options_is_asked_without(talk: Talk) -> None:
    talk.model.script(Refusal(400, "Unrecognized request argument: stream_options"))
    assert (await talk.ask()).finish == "stop"
    assert (await talk.ask()).finish == "stop"
    asked = ["stream_options" in body for body in talk.model.bodies]
    assert asked == [True, False, False]
    assert talk.clock.waits == []


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
async def test_what_servers_add_and_leave_out_is_tolerated(talk: Talk, end: str) -> None:
    events = [
        ": keep-alive",
        'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}',
        'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}],"new":{"field":1}}',
        'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}',
        'data:{"choices":[{"index":0,"delta":{"content":"Hé"},"finish_reason":null}]}',
        "event: message",
        'data: {"choices":[{"index":1,"delta":{"content":"another choice"}}]}',
        'data: {"choices":[{"index":0,"delta":{"content":"llo 🎉"},"finish_reason":"stop"}]}',
        'data: {"choices":[{"index":0,"delta":{},"content_filter_offsets":{}}]}',
    ]
    stream = "".join(event + end for event in events).encode()
    # One byte at a time: also inside of characters and line ends.
    talk.model.script(Raw([stream[at : at + 1] for at in range(len(stream))]))
    heard = await talk.ask()
    assert (heard.text, heard.finish, heard.error) == ("Héllo 🎉", "stop", None)


async def test_done_without_a_finish_reason_is_an_end(talk: Talk) -> None:
    talk.model.script(Answer("Hello", finish=None))
    heard = await talk.ask()
    assert (heard.text, heard.finish) == ("Hello", "stop")


async def test_halves_of_a_surrogate_pair_do_not_break_an_answer(talk: Talk) -> None:
    piece = b'data: {"choices":[{"delta":{"content":"a\\ud83d"},"finish_reason":"stop"}]}\n\n'
    talk.model.script(Raw([piece]))
    assert (await talk.ask(question="b\ud83d")).text == "a\ufffd"


async def test_server_that_does_not_stream_is_understood(talk: Talk) -> None:
    whole = (
        b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":1}}'
    )
    talk.model.script(Raw([whole], content_type="application/json"))
    heard = await talk.ask()
    assert (heard.text, heard.finish, heard.usage) == ("Hello", "stop", Usage(4, 1))


async def test_text_is_shown_before_the_next_arrives(talk: Talk) -> None:
    more = asyncio.Event()
    talk.model.script(Answer(chunks=["Hel", "lo"], hold=more, hold_at=1))
    async with aclosing(talk.client.stream(CHAT, body(CHAT, "hi", {}))) as chunks:
        assert (await anext(chunks)).text == "Hel"
        more.set()
        assert (await anext(chunks)).text == "lo"


async def test_closing_the_answer_closes_the_connection(talk: Talk) -> None:
    talk.model.script(Answer(chunks=["Hel", "lo"], hold=asyncio.Event(), hold_at=1))
    async with aclosing(talk.client.stream(CHAT, body(CHAT, "hi", {}))) as chunks:
        await anext(chunks)
    await talk.model.until(lambda: talk.model.disconnects == 1)


@pytest.mark.parametrize("held_at", [-1, 1], ids=["before headers", "in the answer"])
async def test_cancelling_the_task_closes_the_connection(talk: Talk, held_at: int) -> None:
    talk.model.script(Answer(chunks=["Hel", "lo"], hold=asyncio.Event(), hold_at=held_at))
    asking = asyncio.create_task(talk.ask())
    await talk.model.until(lambda: talk.model.running == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await talk.model.until(lambda: talk.model.disconnects == 1)


async def test_connection_is_used_again(talk: Talk) -> None:
    for _ in range(3):
        await talk.ask()
    assert len(talk.model.open) == 1


async def test_server_that_leaves_the_connection_open_delays_nothing_but_the_end(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.models.link.TAIL", 0.01)
    talk.model.script(Answer("Hello", done=False, usage=False, ends=False))
    heard = await talk.ask()
    assert (heard.text, heard.finish) == ("Hello", "stop")


async def test_many_answers_at_a_time_are_each_the_right_one(talk: Talk) -> None:
    words = [f"word-{number}" for number in range(100)]
    heard = await asyncio.gather(*(talk.ask(question=word) for word in words))
    assert [one.text for one in heard] == [f"You said: {word}" for word in words]


async def test_models_are_listed(talk: Talk) -> None:
    assert await talk.client.models("openai") == ["davinci-002", "gpt-4o", "gpt-4o-mini"]


async def test_listing_models_says_what_is_wrong(talks: Talks, model: ScriptedModel) -> None:
    model.key = "sk-another"
    with pytest.raises(ModelRefused, match="refuses the key in OPENAI_API_KEY"):
        await talks().client.models("openai")
    nowhere = talks(base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailable, match=r"cannot be reached at 127.0.0.1:9"):
        await nowhere.client.models("openai")


async def test_local_provider_is_asked_only_where_it_listens(model: ScriptedModel) -> None:
    clock = HeldClock()
    client = HttpModelClient({"local": Provider("local", kind="local")}, {}, clock)
    profile = replace(CHAT, provider="local")
    talk = Talk(model, client, clock, [])
    assert "not ready yet" in (await talk.ask(profile)).said
    client.connect("local", model.base_url, "made-up-key")
    assert (await talk.ask(profile)).text == "You said: hi"
    assert model.requests[0].headers["authorization"] == "Bearer made-up-key"
    await client.aclose()
