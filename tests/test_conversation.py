"""A person asks and is answered; what was said is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.conversation import EMPTY, MARKS
from bot.messages import Chunk, Ending, Profile, Provider
from bot.models.client import HttpModelClient
from bot.models.tokens import Tokens
from bot.ports import Limits
from bot.prompt import GO_ON
from bot.store import answers
from tests.fakes import Bot, busy, configuration, running
from tests.scripted_model import Answer, Raw, Refusal, ScriptedModel, roles


async def test_a_question_is_answered(bot: Bot) -> None:
    assert await bot.hears("hi") == ["You said: hi"]


async def test_a_conversation_is_remembered(bot: Bot, model: ScriptedModel) -> None:
    await bot.hears("one")
    await bot.hears("two")
    assert roles(model.bodies[-1]) == [
        ("system", "Be kind."),
        ("user", "one"),
        ("assistant", "You said: one"),
        ("user", "two"),
    ]


async def test_a_conversation_is_remembered_over_a_restart(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config) as bot:
        await bot.hears("one")
    async with running(config) as bot:
        await bot.hears("two")
    assert ("assistant", "You said: one") in roles(model.bodies[-1])


async def test_conversations_do_not_know_each_other(bot: Bot, model: ScriptedModel) -> None:
    await bot.hears("my secret", channel="ann")
    await bot.hears("hi", channel="bob", person="bob")
    assert roles(model.bodies[-1]) == [("system", "Be kind."), ("user", "hi")]
    assert bot.says("bob") == ["You said: hi"]


async def test_what_is_typed_while_an_answer_runs_is_answered_together(
    bot: Bot, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    await bot.receive("one")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("two")
    await bot.receive("three")
    going.set()
    await bot.idle()
    assert len(model.requests) == 2
    assert roles(model.bodies[-1])[-1] == ("user", "two\nthree")
    assert bot.says() == ["First.", "You said: two\nthree"]


async def test_one_slow_conversation_holds_up_no_other(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(hold=going))
    await bot.receive("slow", channel="slow")
    await model.until(lambda: len(model.requests) == 1)
    assert await bot.hears("quick", channel="quick") == ["You said: quick"]
    assert bot.says("slow") == []
    going.set()
    await bot.idle("slow")


async def test_as_many_models_are_asked_at_once_as_are_allowed(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(*[Answer(hold=going)] * 12)
    async with running(configuration(tmp_path, model.base_url, model_calls=3)) as bot:
        for number in range(12):
            await bot.receive(f"{number}", channel=f"{number}")
        await model.until(lambda: model.running >= 3)
        going.set()
        for number in range(12):
            await bot.idle(f"{number}")
            assert bot.says(f"{number}") == [f"You said: {number}"]
    assert model.max_concurrent == 3


async def test_an_answer_is_seen_growing(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["The first half", " and the second."], hold=going, hold_at=1))
    await bot.receive("hi")
    await bot.sees(lambda: bot.says() == ["The first half"])
    going.set()
    await bot.idle()
    assert bot.says() == ["The first half and the second."]


async def test_an_answer_cut_by_its_limit_is_marked_and_goes_on(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="one, tw", finish="length"), Answer(text="o, three"))
    [cut] = await bot.hears("count")
    assert cut == f"one, tw\n\n{MARKS[Ending.LENGTH]}"
    assert (await bot.hears("/continue"))[-1] == "o, three"
    await bot.hears("and then?")
    assert ("assistant", "one, two, three") in roles(model.bodies[-1])


async def test_an_open_code_block_is_closed_before_the_mark(bot: Bot, model: ScriptedModel) -> None:
    model.script(Answer(text="```python\nx = 1", finish="length"))
    assert await bot.hears("code") == [f"```python\nx = 1\n```\n\n{MARKS[Ending.LENGTH]}"]


async def test_a_whole_answer_cannot_be_continued(bot: Bot) -> None:
    await bot.hears("hi")
    assert "nothing to continue" in (await bot.hears("/continue"))[-1]


async def test_an_answer_that_breaks_off_is_kept_and_marked(bot: Bot, model: ScriptedModel) -> None:
    model.script(Answer(chunks=["Half an", " answer", " lost"], drop_at=2))
    [broken] = await bot.hears("hi")
    text, mark = broken.split("\n\n")
    assert text == "Half an answer"
    assert mark.startswith("_(The answer broke off.")
    assert "/retry asks again, /continue goes on." in mark


async def test_retry_asks_the_same_again_and_forgets_the_old_answer(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="Wrong."), Answer(text="Right."))
    await bot.hears("hi")
    assert await bot.hears("/retry") == ["Wrong.", "Right."]
    assert model.bodies[0] == model.bodies[1]
    await bot.hears("go on")
    assert ("assistant", "Right.") in roles(model.bodies[-1])
    assert "Wrong." not in str(model.bodies[-1])


async def test_there_is_nothing_to_retry_at_the_beginning(bot: Bot, model: ScriptedModel) -> None:
    assert "ask something first" in (await bot.hears("/retry"))[0]
    assert not model.requests


async def test_stop_ends_the_answer_and_the_model_call_and_keeps_what_was_said(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(chunks=["Once upon", " a time"], hold=asyncio.Event(), hold_at=1))
    await bot.receive("a story")
    await bot.sees(lambda: bot.says() == ["Once upon"])
    await bot.receive("/stop")
    await bot.idle()
    assert bot.says() == [f"Once upon\n\n{MARKS[Ending.STOPPED]}"]
    await model.until(lambda: model.disconnects == 1)
    await bot.hears("next")
    assert ("assistant", "Once upon") in roles(model.bodies[-1])


async def test_stop_before_the_first_word(bot: Bot, model: ScriptedModel) -> None:
    model.script(Answer(hold=asyncio.Event()))
    await bot.receive("a story")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("/stop")
    await bot.idle()
    assert bot.says() == [MARKS[Ending.STOPPED]]


async def test_stop_without_an_answer_says_so(bot: Bot) -> None:
    assert await bot.hears("/stop") == ["There is no answer to stop."]


async def test_a_refusal_is_one_sentence_and_the_next_question_is_answered(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Refusal(401, "Incorrect API key provided: sk-…"))
    [sentence] = await bot.hears("hi")
    assert "key" in sentence
    assert "sk-" not in sentence
    assert "\n" not in sentence
    assert (await bot.hears("still there?"))[-1] == "You said: hi\nstill there?"
    assert roles(model.bodies[-1])[-1] == ("user", "hi\nstill there?")


async def test_an_empty_answer_says_so(bot: Bot, model: ScriptedModel) -> None:
    model.script(Answer(text=""))
    [sentence] = await bot.hears("hi")
    assert sentence == EMPTY or "nothing" in sentence


async def test_a_bug_is_apologised_for_with_a_reference(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.prompt.request_body", broken)
    [sentence] = await bot.hears("hi")
    assert "went wrong on my side" in sentence
    monkeypatch.undo()
    assert (await bot.hears("hi"))[-1] == "You said: hi"


async def test_a_completions_model_is_asked_as_it_was_trained(
    model: ScriptedModel, tmp_path: Path
) -> None:
    support = Profile(
        "assistant",
        "scripted",
        "davinci-002",
        api="completions",
        separator="\nAgent:",
        answer_prefix=" ",
        stop=(".\n",),
        user_label="Customer: ",
    )
    model.reply(" Click `Start`.\nCustomer: and something made up")
    config = configuration(tmp_path, model.base_url, profiles={"assistant": support})
    async with running(config) as bot:
        assert await bot.hears("How do I begin?") == ["Click `Start`."]
        await bot.hears("And then?")
    assert model.bodies[-1]["prompt"] == (
        "How do I begin?\nAgent: Click `Start`.\nCustomer: And then?\nAgent:"
    )


async def test_a_long_answer_arrives_in_parts_that_fit(
    model: ScriptedModel, tmp_path: Path
) -> None:
    text = "\n\n".join(f"Paragraph {number} of the answer." for number in range(40))
    model.reply(text)
    limits = Limits(soft=200, hard=300)
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=limits) as bot:
        parts = await bot.hears("write")
    assert all(len(part) <= 300 for part in parts)
    assert "\n\n".join(parts) == text


async def test_a_platform_without_progress_sees_only_the_final_text(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=Limits(progress=False)) as bot:
        await bot.hears("hi")
        assert [effect["text"] for effect in bot.wall.effects] == ["You said: hi"]


async def test_a_person_is_told_why_the_answer_waits(bot: Bot, model: ScriptedModel) -> None:
    model.script(Refusal(429, "Slow down.", headers={"retry-after": "7"}))
    await bot.receive("hi")
    await bot.sees(lambda: any("again" in text for text in bot.says()))
    bot.clock.advance(30)
    await bot.idle()
    assert bot.says() == ["You said: hi"]


async def test_html_instead_of_an_answer_is_a_sentence(bot: Bot, model: ScriptedModel) -> None:
    model.script(Raw([b"<html><h1>Bad gateway</h1></html>"], content_type="text/html"))
    [sentence] = await bot.hears("hi")
    assert "<html>" not in sentence


async def test_a_thousand_conversations_at_once_are_each_answered_right(
    bot: Bot,
) -> None:
    people = range(1000)
    await asyncio.gather(*(bot.receive(f"I am {n}", channel=f"c{n}") for n in people))
    await asyncio.gather(*(bot.receive(f"Who is {n}?", channel=f"c{n}") for n in people))
    for n in people:
        await bot.idle(f"c{n}")
    for n in people:
        said = "\n".join(bot.says(f"c{n}"))
        assert said.count(f"I am {n}") == 1
        assert said.count(f"Who is {n}?") == 1


async def test_a_provider_that_hangs_holds_up_no_other(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(
        tmp_path,
        model.base_url,
        model_calls=1,
        providers={name: Provider(name, base_url=model.base_url) for name in ("hung", "well")},
        profiles={
            "assistant": Profile("assistant", "hung", "gpt-4o-mini"),
            "support": Profile("support", "well", "gpt-4o"),
        },
    )
    going = asyncio.Event()
    model.script(Answer(hold=going))
    async with running(config) as bot:
        await bot.receive("hi")
        await model.until(lambda: len(model.requests) == 1)
        await bot.hears("/model support", channel="other")
        assert (await bot.hears("hi", channel="other"))[-1] == "You said: hi"
        assert bot.says() == []
        going.set()
        await bot.idle()


async def test_what_a_stopped_answer_used_is_counted_where_the_server_does_not_say_it(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(chunks=["Once upon", " a time"], hold=asyncio.Event(), hold_at=1))
    await bot.receive("a story")
    await bot.sees(lambda: bot.says() == ["Once upon"])
    await bot.receive("/stop")
    await bot.idle()
    tokens = Tokens()
    sent, written = tokens.count_request(model.bodies[0]), tokens.count("gpt-4o-mini", "Once upon")
    assert (await bot.usage("you, in all"))[:3] == ["1", f"{sent}", f"{written}"]


async def test_a_bug_in_the_middle_of_an_answer_is_told(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stream(*_: object) -> AsyncIterator[Chunk]:
        yield Chunk("The dose is 10")
        raise ZeroDivisionError

    monkeypatch.setattr(HttpModelClient, "stream", stream)
    [said] = await bot.hears("How much?")
    assert said.startswith("The dose is 10\n\n_(Something went wrong on my side")


async def test_an_answer_that_cannot_be_stored_now_is_told_of_and_stored_later(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.answers.finish", busy(answers.finish, times=2))
    await bot.receive("hi")
    await bot.sees(lambda: bot.says() == ["You said: hi\n\n_(The database is locked.)_"])
    await bot.clock.asleep(3)
    bot.clock.advance(1)
    await bot.idle()
    assert bot.says() == ["You said: hi"]


async def test_retry_replaces_all_parts_of_an_answer_that_went_on(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="one, tw", finish="length"), Answer(text="o, three"), Answer("Right."))
    await bot.hears("count")
    await bot.hears("/continue")
    await bot.hears("/retry")
    assert model.bodies[2] == model.bodies[0]
    await bot.hears("go on")
    assert roles(model.bodies[-1]) == [
        ("system", "Be kind."),
        ("user", "count"),
        ("assistant", "Right."),
        ("user", "go on"),
    ]


async def test_a_continuation_that_a_shutdown_cut_goes_on_after_the_restart(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.script(Answer(text="one, tw", finish="length"), Answer(hold=asyncio.Event()))
    async with running(config) as bot:
        await bot.hears("count")
        await bot.receive("/continue")
        await model.until(lambda: len(model.requests) == 2)
    model.script(Answer(text="o, three"))
    async with running(config) as bot:
        await bot.idle()
        assert bot.says()[-1] == "o, three"
        assert roles(model.bodies[-1])[-2:] == [("assistant", "one, tw"), ("user", GO_ON)]
        await bot.hears("and then?")
    assert ("assistant", "one, two, three") in roles(model.bodies[-1])


async def test_after_a_question_that_failed_there_is_nothing_to_continue(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="one, tw", finish="length"), Refusal(401, "No."))
    await bot.hears("count")
    await bot.hears("another question")
    assert "nothing to continue" in (await bot.hears("/continue"))[-1]
    assert len(model.requests) == 2


async def test_a_completion_that_goes_on_keeps_its_space(
    model: ScriptedModel, tmp_path: Path
) -> None:
    plain = Profile("assistant", "scripted", "davinci-002", api="completions", answer_prefix=" ")
    model.script(Answer(text=" Hello", finish="length"), Answer(text=" world"))
    config = configuration(tmp_path, model.base_url, profiles={"assistant": plain})
    async with running(config) as bot:
        await bot.hears("Say")
        assert model.bodies[-1]["prompt"] == "Say"
        await bot.hears("/continue")
        await bot.hears("x")
    assert "Hello world" in model.bodies[-1]["prompt"]
