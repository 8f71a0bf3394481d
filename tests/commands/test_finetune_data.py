"""Training data in the chat: a file becomes a dataset, change by change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.messages import Attachment, Person
from tests.fakes import Bot
from tests.scripted_model import Answer, ScriptedModel

ANN = Person("fake:ann")
QUESTIONS = [f"how do I open door {n}" for n in range(12)]


def csv(folder: Path, *rows: str, name: str = "faq.csv") -> Attachment:
    path = folder / f"uploaded-{name}"
    path.write_text("\n".join(["Question,Answer", *rows]) + "\n")
    return Attachment(name, "text/csv", str(path), path.stat().st_size)


def faq(folder: Path) -> Attachment:
    rows = [f"{question},you press the button {n}" for n, question in enumerate(QUESTIONS)]
    return csv(folder, *rows, rows[0])


async def presses(bot: Bot, label: str) -> str:
    """Press a button of the newest card; returns what is said then."""
    button = next(each for each in reversed(bot.adapter.buttons) if each.label.startswith(label))
    assert len(button.says.encode()) <= 48
    return (await bot.hears(button.says, person="op"))[-1]


async def test_file_with_the_command_becomes_a_dataset(bot: Bot, tmp_path: Path) -> None:
    said = (await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)]))[-1]
    assert "**faq.csv**: 13 prompts with completions, 12 of them stay" in said
    assert "*Remove 1 duplicate row*: will be done" in said
    said = await presses(bot, "Apply all recommended")
    assert "**faq** is ready: 12 prompts with completions" in said
    assert "Every prompt ends with ` ->`" in said
    assert "`/finetune start faq MODEL`" in said
    assert (
        "**faq**: 12 prompts with completions, from faq.csv"
        in (await bot.hears("/finetune datasets", person="op"))[-1]
    )
    assert "Every prompt ends with" in (await bot.hears("/finetune dataset faq", person="op"))[-1]


async def test_operator_who_drops_a_table_is_asked_what_to_do(bot: Bot, tmp_path: Path) -> None:
    assert "**faq.csv**: 13" in (await bot.hears("", person="op", files=[faq(tmp_path)]))[-1]
    assert "You said" in (await bot.hears("", person="ann", files=[faq(tmp_path)]))[-1]


async def test_each_change_is_taken_in_or_out(bot: Bot, tmp_path: Path) -> None:
    await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
    said = await presses(bot, "Not: Remove 1 duplicate row")
    assert "*Remove 1 duplicate row*: left as it is" in said
    assert "Add the separator" in said
    await presses(bot, "Also: Remove 1 duplicate row")
    await presses(bot, "Not: Remove 1 duplicate row")
    assert "13 prompts with completions" in await presses(bot, "Apply these changes")


async def test_change_that_there_is_not_is_told_so_with_those_that_there_are(
    bot: Bot, tmp_path: Path
) -> None:
    await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
    said = (await bot.hears("/finetune prepare 1 -drop-duplicats", person="op"))[-1]
    assert "'drop-duplicats' is no change that can be chosen here. Those are: " in said
    assert "drop-duplicates" in said


async def test_dataset_is_looked_at_again_by_its_name(bot: Bot, tmp_path: Path) -> None:
    await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
    await presses(bot, "Apply all recommended")
    said = (await bot.hears("/finetune prepare faq", person="op"))[-1]
    assert "12 prompts with completions" in said
    assert "will be done" not in said, "nothing more is found"
    assert (
        "There is no dataset named 'fap'"
        in (await bot.hears("/finetune prepare fap", person="op"))[-1]
    )


async def test_dropped_file_leaves_nothing(bot: Bot, tmp_path: Path) -> None:
    await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
    assert "nothing of it is kept" in await presses(bot, "Cancel")
    assert not list((tmp_path / "data" / "datasets").rglob("*.csv"))
    said = (await bot.hears("/finetune prepare 1", person="op"))[-1]
    assert "dropped: send it again" in said


async def test_useless_file_is_told_with_its_line(bot: Bot, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "hi"}]}\nnot json\n')
    file = Attachment("broken.jsonl", "", str(path), 10)
    said = (await bot.hears("/finetune prepare", person="op", files=[file]))[-1]
    assert "line 2" in said.lower()


async def test_same_name_twice_gets_a_number(bot: Bot, tmp_path: Path) -> None:
    for name in ("faq", "faq-2"):
        await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
        assert f"**{name}** is ready" in await presses(bot, "Apply all recommended")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/finetune prepare", "Send the file together with this command"),
        ("/finetune prepare 7", "send it again"),
        ("/finetune dataset fap", "There is no dataset named 'fap'"),
        ("/finetune dataset from here --sins 2026", "did you mean --since?"),
        ("/finetune dataset from here --since may", "write the day as 2026-11-21."),
        ("/finetune dataset from here", "nothing to train from"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence(bot: Bot, typed: str, sentence: str) -> None:
    assert sentence in (await bot.hears(typed, person="op"))[-1]


async def test_only_operators_prepare(bot: Bot, tmp_path: Path) -> None:
    said = (await bot.hears("/finetune prepare", files=[faq(tmp_path)]))[-1]
    assert "Only operators may do that" in said


async def test_what_was_said_becomes_a_dataset_without_who_was_forgotten(
    bot: Bot, tmp_path: Path
) -> None:
    for n in range(12):
        await bot.hears(f"what is number {n}?", thread=str(n))
    await bot.hears("I am Zaphod", person="zaphod", thread="z")
    await bot.hears("/forget", person="zaphod", thread="z")
    said = (await bot.hears("/finetune dataset from here --name talks", person="op"))[-1]
    assert "**talks.jsonl**: 12 chat examples" in said
    await presses(bot, "Apply all recommended")
    [file] = (tmp_path / "data" / "datasets").rglob("talks_prepared*.jsonl")
    examples = [json.loads(line) for line in file.read_text().splitlines()]
    assert examples[0]["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "what is number 0?"},
        {"role": "assistant", "content": "You said: what is number 0?"},
    ]
    assert "Zaphod" not in file.read_text()


async def test_disliked_answer_and_its_liked_better_make_a_preference(
    bot: Bot, model: ScriptedModel, tmp_path: Path
) -> None:
    core = await bot.adapter.core
    for n in range(10):
        model.script(Answer(text=f"Bad {n}."), Answer(text=f"Good {n}."))
        for text, opinion in ((f"question {n}", -1), ("/retry", 1)):
            await bot.hears(text, thread=str(n))
            handle = list(bot.wall.posts("general"))[-1]
            assert await core.feedback("fake", "general", handle, ANN, opinion)
    said = (
        await bot.hears("/finetune dataset from here --as preference --name taste", person="op")
    )[-1]
    assert "**taste.jsonl**: 10 preferences" in said
    assert "**taste** is ready: 10 preferences" in await presses(bot, "Apply all recommended")
    [file] = (tmp_path / "data" / "datasets").rglob("taste_prepared*.jsonl")
    example = json.loads(file.read_text().splitlines()[0])
    assert example["input"]["messages"][-1] == {"role": "user", "content": "question 0"}
    assert example["preferred_output"] == [{"role": "assistant", "content": "Good 0."}]
    assert example["non_preferred_output"] == [{"role": "assistant", "content": "Bad 0."}]
