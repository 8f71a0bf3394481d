"""What a person reads when there is no answer, or not all of it."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import (
    AnswerBroken,
    ContextTooLong,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from bot.messages import Chunk, Profile
from tests.models.conftest import KEY, TUNED, Talk, Talks, talk_with
from tests.scripted_model import Answer, Drop, Raw, Refusal, ScriptedModel

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_passing_trouble_is_waited_out(talk: Talk, status: int) -> None:
    talk.model.script(Refusal(status), Refusal(status))
    heard = await talk.ask()
    assert heard.text == "You said: hi"
    assert talk.clock.waits == [0.5, 1.0]
    assert talk.retried == ["openai", "openai"]
    first, second = heard.waiting
    assert f"({status}): asking again in 0.5 s, giving up after 2 min." in first
    assert first.startswith("The provider openai ")
    assert "in 1 s" in second


async def test_connection_dropped_before_the_first_token_is_tried_again(talk: Talk) -> None:
    talk.model.script(Drop(), Answer(drop_at=0), Raw([EVENT[:-9]], ends=False))
    heard = await talk.ask()
    assert heard.text == "You said: hi"
    assert len(heard.waiting) == 3


async def test_stream_that_ends_before_the_first_token_is_tried_again(talk: Talk) -> None:
    talk.model.script(Raw([b": keep-alive\n\n"]), Answer(chunks=[], finish=None, done=False))
    assert (await talk.ask()).text == "You said: hi"
    assert len(talk.clock.waits) == 2


async def test_silence_before_the_first_token_is_tried_again(talks: Talks) -> None:
    talk = talks(idle_timeout=0.05)
    talk.model.script(Answer(hold=asyncio.Event(), hold_at=-1))
    heard = await talk.ask()
    assert heard.text == "You said: hi"
    assert "sent nothing for 0.1 s" in heard.waiting[0]


async def test_waits_grow_up_to_eight_seconds_until_the_deadline(talk: Talk) -> None:
    talk.model.script(*[Refusal(503)] * 30)
    heard = await talk.ask()
    assert isinstance(heard.error, ModelUnavailable)
    assert talk.clock.waits[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert 110 < sum(talk.clock.waits) <= 120
    assert heard.said.startswith("The provider openai is overloaded (503).")
    assert "It was asked 19 times in 120 s; try again later." in heard.said


async def test_provider_out_of_reach_is_named_with_its_machine(talks: Talks) -> None:
    talk = talks(base_url="http://user:password@127.0.0.1:9/v1", retry_deadline=3)
    heard = await talk.ask()
    assert isinstance(heard.error, ModelUnavailable)
    assert "The provider openai cannot be reached at 127.0.0.1:9. It was asked" in heard.said
    assert "password" not in heard.said + "".join(heard.waiting)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "9", "retry-after-ms": "2500"}, 2.5),
        ({"Retry-After": formatdate(1_800_000_030.0, usegmt=True)}, 30.0),
        ({"Retry-After": formatdate(1_700_000_000.0, usegmt=True)}, 0.5),
        ({"Retry-After": "soon"}, 0.5),
        ({"Retry-After": "-4"}, 0.5),
        ({"Retry-After": "nan"}, 0.5),
        ({"Retry-After": "0"}, 0.5),
        ({}, 0.5),
    ],
)
async def test_wait_that_the_provider_asks_for_is_kept(
    talk: Talk, headers: dict[str, str], wait: float
) -> None:
    talk.model.script(Refusal(429, headers=headers))
    await talk.ask()
    assert talk.clock.waits == [wait]


async def test_wait_beyond_the_deadline_is_not_begun(talk: Talk) -> None:
    talk.model.script(Refusal(429, "Slow down.", headers={"Retry-After": "300"}))
    heard = await talk.ask()
    assert isinstance(heard.error, ModelUnavailable)
    assert talk.clock.waits == []
    assert heard.said == (
        "The provider openai limits how often it may be asked (429) and asks for a pause of 5 min."
        " It was asked once in 0 s; try again later. It says: Slow down."
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("insufficient_quota", "has no credit left for this key: add some there."),
        ("daily_rate_limit_exceeded", "has reached its limit for today: try again tomorrow."),
    ],
)
async def test_limit_that_does_not_pass_soon_is_said_at_once(
    talk: Talk, code: str, sentence: str
) -> None:
    talk.model.script(Refusal(429, "No.", code=code))
    heard = await talk.ask()
    assert isinstance(heard.error, ModelRefused)
    assert sentence in heard.said
    assert talk.clock.waits == []


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (
            Refusal(401, f"Incorrect API key provided: {KEY}"),
            "The provider openai refuses the key in OPENAI_API_KEY: set a valid one.",
        ),
        (
            Refusal(403, "Your organisation must be verified."),
            "The provider openai does not allow this: check what OPENAI_API_KEY may use."
            " It says: Your organisation must be verified.",
        ),
        (
            Refusal(404, "The model `gpt-4o-mini` does not exist", "model_not_found"),
            "The provider openai has no model gpt-4o-mini: choose another for the profile"
            " assistant. It says: The model `gpt-4o-mini` does not exist",
        ),
        (Refusal(404, body="<html>Not Found</html>"), "check its base_url."),
        (Refusal(301, headers={"Location": "https://x/?key=1"}, body="<p>"), "check its base_url."),
        (Refusal(402, "Pay."), "has no credit left"),
        (
            Refusal(400, "Invalid 'temperature'."),
            "The provider openai refused the question (400): check the profile assistant."
            " It says: Invalid 'temperature'.",
        ),
        (Refusal(422, body={"detail": [{"loc": ["body", "n"]}]}), "refused the question (422)"),
        (Refusal(400, "…", "content_filter"), "filtered the question for its content"),
        (Refusal(418, body=b"".decode()), "refused the question (418)"),
        (
            Raw([b"<html><body>Welcome</body></html>"], content_type="text/html; charset=utf-8"),
            "The provider openai sent a web page where a model's answer should be: check that its"
            " base_url leads to an API like OpenAI's, usually ending in /v1.",
        ),
        (Raw([b"Welcome to nginx"], content_type="text/plain"), "sent something else where"),
        (Raw([b'{"hello":'], content_type="application/json"), "sent something broken where"),
        (Raw([b'data: {"choices":[{"del\n\n']), "sent something broken where"),
        (Raw([b"data: [1, 2]\n\n"]), "sent something broken where"),
    ],
)
async def test_refusal_is_one_sentence_that_says_what_to_do(
    talk: Talk, step: Any, sentence: str
) -> None:
    talk.model.script(step)
    heard = await talk.ask()
    assert type(heard.error) is ModelRefused
    assert sentence in heard.said
    assert KEY not in heard.said
    assert talk.clock.waits == []


async def test_missing_key_is_told_from_a_wrong_one(talks: Talks, model: ScriptedModel) -> None:
    model.key = "needed"
    heard = await talks(key="", api_key_env="").ask()
    assert "wants a key: name its variable as api_key_env in [providers.openai]" in heard.said


async def test_key_that_no_header_takes_is_refused_before_it_is_sent(talks: Talks) -> None:
    heard = await talks(key="sk-clé\n\tsecret").ask()
    assert "The key in OPENAI_API_KEY has characters that no key has" in heard.said
    assert "secret" not in heard.said


@pytest.mark.parametrize("base_url", ["http://[::1", "", "nowhere", "ftp://host/v1"])
async def test_base_url_that_is_no_address_is_told(talks: Talks, base_url: str) -> None:
    heard = await talks(base_url=base_url).ask()
    assert isinstance(heard.error, ModelRefused)
    assert "The base_url under [providers.openai] is no address" in heard.said


async def test_providers_own_words_are_short_and_hold_no_secret(talks: Talks) -> None:
    talk = talks(headers={"X-Gateway": "gateway-secret"})
    words = (
        f"Bad\n  request to https://me:pass@host/v1?api_key=abc with Bearer {KEY}, sk-proj-abcdefgh"
        f" and gateway-secret: {'x' * 500}"
    )
    talk.model.script(Refusal(400, words))
    said = (await talk.ask()).said
    quote = said.partition("It says: ")[2]
    assert quote.startswith("Bad request to https://host/v1 with Bearer …")
    assert len(quote) <= 200
    for secret in (KEY, "me:pass", "api_key", "sk-proj", "gateway-secret"):
        assert secret not in said


@pytest.mark.parametrize(
    ("status", "error", "window"),
    [
        (
            400,
            {
                "message": "This model's maximum context length is 16385 tokens. However, your"
                " messages resulted in 20000 tokens.",
                "code": "context_length_exceeded",
            },
            16385,
        ),
        (
            400,
            {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5000,
                "n_ctx": 2048,
            },
            2048,
        ),
        (
            400,
            {
                "message": "This model's maximum context length is 4096 tokens. However, you"
                " requested 5000 tokens",
                "type": "BadRequestError",
                "code": 400,
            },
            4096,
        ),
        (
            400,
            {
                "message": "The decoder prompt (length 9000) is longer than the maximum model"
                " length of 8192.",
            },
            8192,
        ),
        (
            400,
            {"message": "The input token count (9) exceeds the number of tokens allowed (8)."},
            8,
        ),
        (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, 200000),
        (400, {"message": "Too long.", "code": "context_length_exceeded"}, 0),
        (413, {"message": "Request Entity Too Large"}, 0),
    ],
)
async def test_conversation_over_the_window_is_told_with_the_window(
    talk: Talk, status: int, error: dict[str, Any], window: int
) -> None:
    bare = {"object": "error", **error}
    for body in ({"error": error}, bare):
        talk.model.script(Refusal(status, body=body))
        heard = await talk.ask()
        assert isinstance(heard.error, ContextTooLong)
        assert heard.error.window == window
        assert "too long for the window" in heard.said


async def test_error_inside_of_the_stream_is_an_error(talk: Talk) -> None:
    overloaded = {"error": {"message": "Overloaded", "type": "server_error", "code": None}}
    too_long = {"error": {"message": "", "code": "context_length_exceeded"}}
    refused = b'event: error\ndata: {"message":"no"}\n\n'
    for error in (overloaded, too_long):
        talk.model.script(Raw([f"data: {json.dumps(error)}\n\n".encode()]))
    talk.model.script(Raw([refused]))
    heard = await talk.ask()
    assert isinstance(heard.error, ContextTooLong)
    assert len(heard.waiting) == 1
    assert "It says: no" in (await talk.ask()).said


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (Answer(chunks=["Hel", "lo"], drop_at=1), "The provider openai dropped the connection."),
        (Raw([EVENT]), "The provider openai stopped before the answer's end."),
        (Raw([EVENT], ends=False), "The provider openai dropped the connection."),
        (Raw([EVENT, b'data: {"cho\n\n']), "The provider openai sent something broken"),
        (Raw([EVENT, b'data: {"error":{"message":"Bang"}}\n\n']), "It says: Bang"),
        (Answer(chunks=["Hel", "lo"], hold=asyncio.Event(), hold_at=1), "sent nothing for 0.1 s"),
    ],
)
async def test_answer_that_breaks_is_kept_and_not_asked_again(
    talks: Talks, step: Any, sentence: str
) -> None:
    talk = talks(idle_timeout=0.1)
    talk.model.script(step)
    heard = await talk.ask()
    assert isinstance(heard.error, AnswerBroken)
    assert heard.text == "Hel"
    assert heard.said.startswith("The answer broke off. ")
    assert sentence in heard.said
    assert heard.waiting == []


async def test_text_that_was_held_back_is_shown_when_the_answer_breaks(talk: Talk) -> None:
    talk.model.script(Answer(chunks=[" Yes", "."], drop_at=2))
    heard = await talk.ask(TUNED)
    assert isinstance(heard.error, AnswerBroken)
    assert heard.text == "Yes."


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        ("stop", "The model gpt-4o-mini answered with nothing: ask again in other words"),
        ("length", "used up its limit without a word of answer: raise max_tokens"),
        ("content_filter", "filtered the answer for its content"),
    ],
)
async def test_empty_answer_is_said(talk: Talk, finish: str, sentence: str) -> None:
    talk.model.script(Answer(" \n", finish=finish))
    heard = await talk.ask()
    assert isinstance(heard.error, ModelError)
    assert sentence in heard.said
    assert not heard.finish


async def test_profile_with_a_provider_that_is_gone_is_told(talk: Talk) -> None:
    profile = Profile("old", "gone", "m")
    assert "There is no provider gone: add [providers.gone]" in (await talk.ask(profile)).said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "text", "error", "usage", "finish_reason",
                 "prompt_tokens", "completion_tokens", "message", "index", "code", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)  # fmt: skip
events = json_values.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n")
bodies = st.lists(st.binary(max_size=40) | events | st.just(EVENT), max_size=6)
kinds = st.sampled_from(["text/event-stream", "application/json", "text/html", "", "text/plain"])


@settings(deadline=None, max_examples=60)
@given(pieces=bodies, kind=kinds, ends=st.booleans())
def test_no_body_gives_anything_but_chunks_and_model_errors(
    pieces: list[bytes], kind: str, ends: bool
) -> None:
    async def fuzzed() -> None:
        async with ScriptedModel() as model:
            model.script(Raw(pieces, content_type=kind, ends=ends))
            talk = talk_with(model, retry_deadline=0)
            heard = await talk.ask()
            await talk.client.aclose()
        assert all(isinstance(chunk, Chunk) for chunk in heard.chunks)
        assert heard.finish or isinstance(heard.error, ModelError)

    asyncio.run(fuzzed())
