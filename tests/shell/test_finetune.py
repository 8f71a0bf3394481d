"""`tunebot finetune`, as a person or a script meets it."""

from __future__ import annotations

import signal

import pytest

from tests.shell.stage import Shell, ended
from tests.tuning_server import Job, Story, TuningServer

AT_ONCE = Story(steps=20, reading=0.0, queue=(), waiting=0.0, pace=0.0)
MODEL = "davinci-002"


def works(job: Job) -> None:
    """A job gets somewhere."""
    job.runs()
    for step in (1, 2, 3):
        job.step(step, 10, 2.0 / step)


async def test_nobody_is_asked_where_nobody_is_and_a_command_confirms(shell: Shell) -> None:
    report = await shell.does("prepare", "faq.csv")
    assert report.code == 1
    assert "faq.csv: 20 prompts with completions" in report.out
    assert "Nobody is here to choose. Add --yes" in report.err
    assert "tunebot finetune prepare 1 write  # Apply all recommended" in report.err
    made = await shell.does("prepare", "1", "write")
    assert made.code == 0
    assert "faq is ready: 20 prompts with completions" in made.out
    assert "`tunebot finetune start faq MODEL` trains a model from it." in made.out
    listed = await shell.does("datasets")
    assert listed == (0, "- faq: 20 prompts with completions, from faq.csv\n", "")


async def test_file_is_trained_from_and_followed_to_its_end(
    shell: Shell, tuning: TuningServer
) -> None:
    tuning.story = AT_ONCE
    done = await shell.does("start", "faq.csv", MODEL, "--yes", "--epochs", "3")
    assert (done.code, done.err) == (0, "")
    name = tuning.job.model_name()
    assert f"✅ faq is trained: {MODEL} answers as `{name}`." in done.out
    assert "- Try it: `tunebot finetune try 1`" in done.out
    card = done.out.partition(f"✅ faq · {MODEL} · succeeded\n`{tuning.job.id}`\n")[2]
    assert "Training loss 1.64 `█" in card
    assert card.endswith(f"Model: `{name}`\n")
    again = await shell.does("follow", "last")
    assert again.code == 0
    assert "Try it" in again.out


async def test_start_of_unknown_price_is_not_confirmed_by_yes_where_a_limit_is_set(
    shell: Shell, tuning: TuningServer
) -> None:
    limited = shell.config.read_text().replace("[tuning]", "[tuning]\nmost_per_job = 5.0")
    shell.config.write_text(limited)
    asked = await shell.does("start", "faq.csv", "babbage-002", "--yes")
    assert asked.code == 1
    assert "its price is unknown" in asked.out
    assert "--yes is not enough here" in asked.err
    assert "tunebot finetune confirm 1  # Start" in asked.err
    assert not tuning.jobs


async def test_job_that_fails_or_was_not_made_is_1(shell: Shell, tuning: TuningServer) -> None:
    refused = await shell.does("start", "file-nowhere", MODEL, "--yes")
    assert refused.code == 1
    assert f"❌ {MODEL} was not started:" in refused.err
    tuning.story = Story(reading=0.0, line=7, reason="no such role")
    failed = await shell.does("start", "faq.csv", MODEL, "--yes")
    assert failed.code == 1
    assert "❌ The training of faq failed:" in failed.out
    assert "no such role" in failed.out


async def test_interrupted_follower_is_told_how_to_go_on_and_the_job_runs_on(
    shell: Shell, tuning: TuningServer
) -> None:
    detached = await shell.does("start", "faq.csv", MODEL, "--yes", "--detach")
    assert (detached.code, detached.err) == (0, "")
    job = tuning.job
    assert f"`{job.id}`" in detached.out, "it is made when the command ends"
    follower = await shell.starts("follow", job.id)
    called = "GET fine_tuning/jobs/{id}/events"
    before = tuning.counts[called]
    await tuning.until(lambda: tuning.counts[called] > before + 1)
    follower.send_signal(signal.SIGINT)
    left = await ended(follower)
    assert left.code == 130
    assert left.err == (f"It runs on. See how far it is: tunebot finetune follow {job.id}\n")
    assert not job.ended
    works(job)
    assert "step 3/10" in (await shell.does("status")).out, "as it is now, not as it was seen last"
    job.succeeds()
    assert (await shell.does("follow", "faq")).code == 0


async def test_on_a_terminal_one_chooses_by_number_and_sees_it_grow(
    shell: Shell, tuning: TuningServer
) -> None:
    terminal = await shell.shows("start", "faq.csv", MODEL)
    await terminal.sees(f"Train {MODEL} on faq at tuning?")
    await terminal.sees("1  Start")
    await terminal.sees("Which, 1 to 2? Enter for none: ")
    terminal.types("3")
    await terminal.sees("Enter for none: ")
    assert not tuning.jobs
    terminal.types("1")
    await tuning.until(lambda: tuning.jobs)
    tuning.job.queues(7)
    await terminal.sees("Queue number 7")
    works(tuning.job)
    await terminal.sees("🏃 The training of faq started.")
    await terminal.sees("30% · step 3/10")
    await terminal.sees("Training loss 0.667 `█▃▁`")
    assert await terminal.interrupted() == 130
    assert f"tunebot finetune follow {tuning.job.id}" in terminal.seen


async def test_choosing_nothing_starts_nothing(shell: Shell, tuning: TuningServer) -> None:
    terminal = await shell.shows("start", "faq.csv", MODEL)
    await terminal.sees("Enter for none: ")
    terminal.types("")
    assert await terminal.ended() == 0
    assert not tuning.jobs


async def test_interrupt_at_a_question_ends_at_once(shell: Shell, tuning: TuningServer) -> None:
    terminal = await shell.shows("start", "faq.csv", MODEL)
    await terminal.sees("Enter for none: ")
    assert await terminal.interrupted() == 130
    assert not tuning.jobs


async def test_files_of_replies_are_saved_here(shell: Shell, tuning: TuningServer) -> None:
    tuning.story = AT_ONCE
    assert (await shell.does("start", "faq.csv", MODEL, "--yes")).code == 0
    told = await shell.does("results")
    name = f"{tuning.job.id}-results.csv"
    assert (told.code, told.err) == (0, f"Saved {shell.folder / name}\n")
    assert (shell.folder / name).read_text().startswith("step,train_loss")


async def test_model_that_is_used_answers_in_tunebot_chat(
    shell: Shell, tuning: TuningServer
) -> None:
    tuning.story = AT_ONCE
    assert (await shell.does("start", "faq.csv", MODEL, "--yes")).code == 0
    assert (await shell.does("use", "faq")).code == 0
    assert tuning.job.model_name() in await shell.chats("/model")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prepare", "nowhere.csv"], "tunebot: nowhere.csv: no such file."),
        (["start", "fap", MODEL, "--yes"], "There is no dataset named 'fap'"),
        (["cancel", "nothing"], "There is no job 'nothing'"),
        (["star"], "Did you mean /finetune start?"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence_and_1(
    shell: Shell, words: list[str], sentence: str
) -> None:
    done = await shell.does(*words)
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err


async def test_who_is_no_operator_is_told_the_name_to_add(shell: Shell) -> None:
    with shell.config.open("a") as config:
        config.write('[access]\nusers = ["*"]\noperators = []\n')
    done = await shell.does("datasets")
    assert done.code == 1
    assert "add 'terminal:" in done.err
