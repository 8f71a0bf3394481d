"""What a model is reminded of: the newest that fits its window, and a summary of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.conversation import SHORTENED
from bot.messages import Profile
from bot.recall import SUMMARY_PROMPT
from tests.fakes import Bot, configuration, running
from tests.scripted_model import Body, Refusal, ScriptedModel, roles
from tests.scripted_wire import usage

SMALL = Profile(
    "assistant",
    "scripted",
    "gpt-4o-mini",
    context=150,
    params={"max_tokens": 20},
    summarise=True,
)


def wants_summary(body: Body) -> bool:
    """Whether a request is not for an answer, but for a summary."""
    return bool(body["messages"][0]["content"] == SUMMARY_PROMPT)


async def much_is_asked(bot: Bot, person: str = "ann") -> None:
    """More than a small window holds."""
    for number in range(9):
        await bot.hears(f"question number {number} of a person who asks much", person=person)


async def test_a_conversation_over_the_window_is_shortened_once_and_says_so(
    bot: Bot, model: ScriptedModel
) -> None:
    for number in range(5):
        await bot.hears(f"question {number}")
    asked = len(model.bodies)
    too_long = "This model's maximum context length is 60 tokens."
    model.script(Refusal(400, too_long, code="context_length_exceeded"))
    last = (await bot.hears("the newest"))[-1]
    assert last == f"You said: the newest\n\n{SHORTENED}"
    first, second = model.bodies[asked:]
    assert len(second["messages"]) < len(first["messages"])
    assert roles(second)[0] == ("system", "Be kind.")
    assert roles(second)[1][0] == "user"
    assert roles(second)[-1] == ("user", "the newest")
    await bot.hears("and again")
    assert len(model.bodies) == asked + 3, "what the refusal said of the window is remembered"


async def test_a_conversation_that_never_fits_ends_in_a_sentence(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(*[Refusal(400, "Too long.", code="context_length_exceeded")] * 2)
    [sentence] = await bot.hears("an endless question")
    assert sentence
    assert len(model.requests) == 1, "there was nothing to leave out"


async def test_the_context_fits_the_window_of_the_profile(
    model: ScriptedModel, tmp_path: Path
) -> None:
    small = Profile("assistant", "scripted", "gpt-4o-mini", context=120, params={"max_tokens": 20})
    config = configuration(tmp_path, model.base_url, profiles={"assistant": small})
    async with running(config) as bot:
        for number in range(8):
            await bot.hears(f"question number {number} of a person who asks much")
    said = roles(model.bodies[-1])
    assert said[0][0] == "user"
    assert said[-1][1].startswith("question number 7")
    assert 1 < len(said) < 15


async def test_what_no_longer_fits_is_summarised(model: ScriptedModel, tmp_path: Path) -> None:
    model.reply(lambda body: "SUMMARY" if wants_summary(body) else "a rather long answer " * 3)
    config = configuration(tmp_path, model.base_url, profiles={"assistant": SMALL})
    async with running(config) as bot:
        await much_is_asked(bot)
    answers = [body for body in model.bodies if not wants_summary(body)]
    assert roles(answers[-1])[0] == ("system", "Earlier in this conversation: SUMMARY")
    summaries = len(model.bodies) - len(answers)
    assert 0 < summaries < len(answers) / 2, "a summary serves several turns"


async def test_a_model_of_single_questions_is_not_reminded_of_what_was_summarised(
    model: ScriptedModel, tmp_path: Path
) -> None:
    single = Profile(
        "single", "scripted", "davinci-002", api="completions", separator=" ->", history=1
    )
    config = configuration(
        tmp_path, model.base_url, profiles={"assistant": SMALL, "single": single}
    )
    async with running(config) as bot:
        await much_is_asked(bot)
        assert any(map(wants_summary, model.bodies))
        await bot.hears("/model single")
        await bot.hears("open door 4")
    assert model.bodies[-1]["prompt"] == "open door 4 ->"


async def test_after_a_question_that_was_too_long_a_short_one_is_answered(
    bot: Bot, model: ScriptedModel
) -> None:
    model.window, model.count = 1000, lambda text: len(text) // 4
    assert "too long" in (await bot.hears("giant question " * 2000))[-1]
    for question in ("hi", "hello?", "anybody?"):
        assert (await bot.hears(question))[-1].startswith(f"You said: {question}")


async def test_a_model_that_makes_more_tokens_than_we_count_is_answered_after_shortening(
    model: ScriptedModel, tmp_path: Path
) -> None:
    model.window, model.count = 2048, lambda text: len(text.encode()) // 2  # one a Cyrillic letter
    model.reply("Да. " * 20)
    local = Profile(
        "assistant", "scripted", "smollm2-135m-instruct", context=2048, params={"max_tokens": 512}
    )
    config = configuration(tmp_path, model.base_url, profiles={"assistant": local})
    text = "Расскажи мне, пожалуйста, что ты думаешь о погоде в Петербурге осенью и зимой. "
    async with running(config) as bot:
        for number in range(40):
            assert (await bot.hears(f"{number} {text}"))[-1].startswith("Да.")
    assert any("Расскажи" in said for _, said in roles(model.bodies[-1])[:-1]), "it has a memory"


async def test_a_summary_may_hold_what_ends_an_answer(model: ScriptedModel, tmp_path: Path) -> None:
    model.reply(lambda body: "FIRST\n\nSECOND" if wants_summary(body) else "ok")
    paragraphs = replace(SMALL, stop=("\n\n",))
    config = configuration(tmp_path, model.base_url, profiles={"assistant": paragraphs})
    async with running(config) as bot:
        await much_is_asked(bot)
    assert roles(model.bodies[-1])[0] == (
        "system",
        "Earlier in this conversation: FIRST\n\nSECOND",
    )


async def test_summaries_are_counted(model: ScriptedModel, tmp_path: Path) -> None:
    config = configuration(tmp_path, model.base_url, profiles={"assistant": SMALL})
    async with running(config) as bot:
        await much_is_asked(bot)
        answers, tokens_in, *_ = await bot.usage("you, in all")
    assert any(map(wants_summary, model.bodies))
    assert int(answers) == sum(not wants_summary(body) for body in model.bodies)
    assert int(tokens_in) == sum(usage(body, 0)["prompt_tokens"] for body in model.bodies)


async def test_a_reset_conversation_is_not_reminded_by_its_summary(
    model: ScriptedModel, tmp_path: Path
) -> None:
    model.reply(lambda body: "SUMMARY" if wants_summary(body) else "ok")
    config = configuration(tmp_path, model.base_url, profiles={"assistant": SMALL})
    async with running(config) as bot:
        await much_is_asked(bot)
        assert "SUMMARY" in str(model.bodies[-1])
        await bot.hears("/reset")
        await bot.hears("hi")
    assert roles(model.bodies[-1]) == [("user", "hi")]
