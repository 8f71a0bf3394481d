"""Reinforcement training from the chat: questions, a grader, an unknown price, and a job."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Tuning
from bot.messages import Attachment, Price
from tests.clock import StoppedClock
from tests.fakes import Bot
from tests.tuning.stage import PRICES, faq, looks, presses, says, sees, tuned, watched
from tests.tuning_server import TuningServer

START = "/finetune start sums o4-mini --grader"


@pytest.fixture
async def bot(tuning: TuningServer, tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Bot]:
    prices = PRICES | {"o4-mini": Price(1.1, 4.4, 100.0)}
    async with tuned(tuning, tmp_path, clock, prices=prices) as bot:
        yield bot


async def prepared(bot: Bot, folder: Path) -> str:
    """A dataset named sums is there; what was said of it."""
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n} and {n * n} together?"}],
         "answer": str(n + n * n), **({"note": "odd"} if n % 2 else {})}
        for n in range(12)
    ]  # fmt: skip
    path = folder / "sums.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    file = Attachment("sums.jsonl", "application/jsonl", str(path), path.stat().st_size)
    said = await says(bot, "/finetune prepare", files=[file])
    return said + await presses(bot, "Apply all recommended")


async def test_questions_become_a_dataset_that_says_how_it_is_started(
    bot: Bot, tmp_path: Path
) -> None:
    said = await prepared(bot, tmp_path)
    assert "12 questions to be graded" in said
    assert "A grader can compare answers with what stands in all examples: `answer`." in said
    assert "In 6 examples there is no field `note`" in said
    assert "`/finetune start sums MODEL --grader equals:FIELD`" in said


async def test_job_is_made_with_the_grader_that_was_confirmed(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await prepared(bot, tmp_path)
    said = await says(bot, f"{START} equals:answer --epochs 2")
    assert "billed by the time that it trains, not by tokens" in said
    assert "price is unknown" in said
    assert "Nothing validates it" in said
    assert "graded by equals-answer (string_check)" in said
    await presses(bot, "Start")
    await tuning.until(lambda: tuning.jobs)
    method = tuning.job.asked["method"]
    assert method["type"] == "reinforcement"
    assert method["reinforcement"]["grader"]["reference"] == "{{item.answer}}"
    assert method["reinforcement"]["hyperparameters"] == {"n_epochs": 2}


async def test_grader_is_kept_over_a_restart_before_it_is_confirmed(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    grader = {
        "type": "python",
        "name": "sum",
        "source": "def grade(sample, item):\n    return item['answer'] in sample['output_text']\n",
    }
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        await says(bot, f"{START} {shlex.quote(json.dumps(grader))}")
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, "/finetune confirm 1")
        await tuning.until(lambda: tuning.jobs)
    assert tuning.job.asked["method"]["reinforcement"]["grader"] == grader


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("sums o4-mini", "A grader is needed that judges the answers: write equals:FIELD"),
        ("sums o4-mini --grader equal:answer", "--grader equal:answer: write equals:FIELD"),
        ("sums o4-mini --grader equals:label", "{{item.label}}, which not every example has: all "
         "have answer."),
        ("sums o4-mini --grader contains:note", "{{item.note}}, which not every example has"),
        ("sums o4-mini --method supervised", "--method reinforcement trains from them"),
        ("faq o4-mini --grader equals:answer", "Only --method reinforcement takes a --grader"),
        ("faq o4-mini --method reinforcement", "`/finetune prepare faq --as reinforcement`"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_gets_a_sentence(
    bot: Bot, tmp_path: Path, typed: str, sentence: str
) -> None:
    await prepared(bot, tmp_path)
    await says(bot, "/finetune prepare", files=[faq(tmp_path)])
    await presses(bot, "Apply all recommended")
    assert sentence in await says(bot, f"/finetune start {typed}")


@pytest.mark.parametrize(
    "typed",
    ["/finetune prepare sums --as chat", f"{START} equals:answer", "/finetune prepare sums"],
)
async def test_dataset_whose_file_is_gone_is_said_to_be(
    bot: Bot, tmp_path: Path, typed: str
) -> None:
    await prepared(bot, tmp_path)
    next(tmp_path.rglob("sums_prepared.jsonl")).unlink()
    said = await says(bot, typed)
    assert said.startswith("sums_prepared.jsonl cannot be")
    assert said.endswith("No such file or directory.")


async def test_service_that_cannot_is_not_asked(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock, kind="legacy") as bot:
        await prepared(bot, tmp_path)
        said = await says(bot, f"{START} equals:answer")
    assert "The provider tuner cannot train by reinforcement: choose supervised." in said
    assert not tuning.called("POST files")


async def test_yes_is_not_enough_where_a_limit_is_set(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(
        tuning, tmp_path, clock, tuning=Tuning(provider="tuner", most_per_job=5.0)
    ) as bot:
        await prepared(bot, tmp_path)
        said = await says(bot, f"{START} equals:answer --yes")
        assert "The limits in [tuning] do not hold" in said
        assert "end it by `/finetune cancel` in time" in said
        assert "[prices" not in said, "no price would help: it is billed by the time"
        assert not tuning.jobs


async def test_end_tells_no_cost_that_was_reckoned_from_tokens(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await prepared(bot, tmp_path)
    await says(bot, f"{START} similar:answer --yes")
    await tuning.until(lambda: tuning.jobs)
    await watched(bot)
    tuning.job.succeeds(tokens=1_000_000)
    await looks(bot, tuning, 5, ends=True)
    await sees(bot, lambda text: "is trained" in text)
    await bot.idle()
    assert not [text for text in bot.says() if "Cost:" in text]
    await presses(bot, "Use here")
    await bot.hears("What is 3 and 9 together?")
    assert "temperature" not in tuning.called("POST chat/completions")[-1].body


async def test_answers_become_what_is_compared_with(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await says(bot, "/finetune prepare", files=[faq(tmp_path)])
    await presses(bot, "Apply all recommended")
    said = await says(bot, "/finetune prepare faq --as reinforcement")
    assert "20 questions to be graded" in said
    await presses(bot, "Apply all recommended")
    await says(bot, "/finetune start faq-reinforcement o4-mini --grader contains:answer --yes")
    await tuning.until(lambda: tuning.jobs)
    content = tuning.files[tuning.job.asked["training_file"]].content
    assert json.loads(content.splitlines()[3]) == {
        "messages": [{"role": "user", "content": "3"}],
        "answer": "21",
    }, "without the separator and the stop of the prompts and completions"


async def test_what_cannot_be_written_anew_is_said_and_leaves_nothing(
    bot: Bot, tmp_path: Path
) -> None:
    answers = "/finetune prepare sums --as chat"
    await prepared(bot, tmp_path)
    assert "12 chat examples" in await says(bot, answers)
    pairs = [{"input": {"messages": [{"role": "user", "content": f"{n}?"}]},
              "preferred_output": [{"role": "assistant", "content": "Yes."}],
              "non_preferred_output": [{"role": "assistant", "content": "No."}]}
             for n in range(12)]  # fmt: skip
    path = tmp_path / "better.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in pairs))
    file = Attachment("better.jsonl", "application/jsonl", str(path), path.stat().st_size)
    await says(bot, "/finetune prepare", files=[file])
    await presses(bot, "Apply all recommended")
    known = list((tmp_path / "data" / "datasets").iterdir())
    said = await says(bot, "/finetune prepare better --as reinforcement")
    assert "Nothing of better can be written so. In 12 examples there are preferences" in said
    assert list((tmp_path / "data" / "datasets").iterdir()) == known
