"""The command line, as a person or a service manager meets it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.scripted_model import Answer, Refusal, ScriptedModel

Start = Callable[..., Awaitable[Process]]

CONFIG = """
[providers.scripted]
base_url = "{base_url}"
api_key_env = "SCRIPTED_KEY"

[profiles.assistant]
provider = "scripted"
model = "{model}"
"""


@pytest.fixture
async def tunebot(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Start]:
    """Starts `tunebot` in a folder of its own that has a configuration for the scripted model."""
    model.key = "sk-secret-of-the-test"
    text = CONFIG.format(base_url=model.base_url, model="gpt-4o-mini")
    (tmp_path / "tunebot.toml").write_text(text)
    processes = []
    environment = {**os.environ, "SCRIPTED_KEY": model.key, "HOME": str(tmp_path)}

    async def start(*arguments: str, **changes: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(Path.cwd()), **changes},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: Process, typed: str = "") -> tuple[int | None, str, str]:
    """The exit code and what was written, after so much was typed."""
    out, err = await process.communicate(typed.encode())
    return process.returncode, out.decode(), err.decode()


async def test_a_question_that_is_piped_in_is_answered(tunebot: Start) -> None:
    assert await ended(await tunebot("chat"), "hi\n") == (0, "You said: hi\n", "")


async def test_what_was_said_is_remembered_by_the_next_start(
    tunebot: Start, model: ScriptedModel
) -> None:
    await ended(await tunebot("chat"), "one")
    await ended(await tunebot("chat"), "two")
    said = [message["content"] for message in model.bodies[-1]["messages"]]
    assert said == ["one", "You said: one", "two"]


async def test_sigterm_lets_a_running_answer_end_and_exits_with_0(
    tunebot: Start, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["Half", " and whole."], hold=going, hold_at=1))
    process = await tunebot("chat")
    assert process.stdin
    process.stdin.write(b"hi")
    process.stdin.close()
    await model.until(lambda: len(model.bodies) == 1)
    process.send_signal(signal.SIGTERM)
    going.set()
    assert await ended(process) == (0, "Half and whole.\n", "")


async def test_after_kill_9_the_next_start_answers(tunebot: Start, model: ScriptedModel) -> None:
    model.script(Answer(hold=asyncio.Event()))
    process = await tunebot("chat")
    assert process.stdin
    process.stdin.write(b"hi")
    process.stdin.close()
    await model.until(lambda: len(model.bodies) == 1)
    process.kill()
    await process.wait()
    code, out, _ = await ended(await tunebot("chat"), "/model")
    assert code == 0
    assert out.startswith("You said: hi\n")


async def test_a_second_one_on_the_same_database_is_refused(
    tunebot: Start, model: ScriptedModel
) -> None:
    model.script(Answer(hold=asyncio.Event()))
    first = await tunebot("chat")
    assert first.stdin
    first.stdin.write(b"hi")
    first.stdin.close()
    await model.until(lambda: len(model.bodies) == 1)
    code, out, err = await ended(await tunebot("chat"), "hi")
    assert (code, out) == (1, "")
    assert err.startswith("tunebot: Another tunebot runs on tunebot.db")
    assert (await ended(await tunebot("health")))[:2] == (0, "running\n")
    code, out, _ = await ended(await tunebot("backup", "copy.db"))
    assert (code, out) == (0, "tunebot.db is copied to copy.db.\n")
    code, out, _ = await ended(await tunebot("check"))
    assert code == 0
    assert "a running tunebot uses it" in out


async def test_health_without_a_running_one_is_1(tunebot: Start) -> None:
    code, _, err = await ended(await tunebot("health"))
    assert code == 1
    assert "No tunebot shows life on tunebot.db" in err


async def test_check_shows_what_works(tunebot: Start, tmp_path: Path) -> None:
    code, out, _ = await ended(await tunebot("check"))
    assert code == 0
    for line in ("database tunebot.db", "provider scripted", "gpt-4o-mini is there"):
        assert line in out
    config = (tmp_path / "tunebot.toml").read_text()
    (tmp_path / "tunebot.toml").write_text(config.replace("gpt-4o-mini", "gpt-4o-mimi"))
    code, out, _ = await ended(await tunebot("check"))
    assert code == 1
    assert "✗" in out
    assert "did you mean 'gpt-4o-mini'?" in " ".join(out.replace("│", " ").split())


async def test_check_shows_a_platform_whose_people_nobody_lets_in(
    tunebot: Start, tmp_path: Path
) -> None:
    with (tmp_path / "tunebot.toml").open("a") as config:
        config.write('\n[adapters.terminal]\n[access]\nusers = ["telegram:*"]\noperators = []\n')
    code, out, _ = await ended(await tunebot("check"))
    assert code == 1
    said = " ".join(out.replace("│", " ").split())
    assert 'add "terminal:*", or single people' in said


async def test_check_shows_a_key_that_is_refused_and_not_the_key(tunebot: Start) -> None:
    code, out, err = await ended(await tunebot("check", SCRIPTED_KEY="sk-wrong-and-secret"))
    assert code == 1
    assert "SCRIPTED_KEY" in out
    assert "sk-wrong-and-secret" not in out + err


@pytest.mark.parametrize("command", ["run", "chat", "check"])
async def test_a_wrong_configuration_is_one_line_and_exit_code_2(
    tunebot: Start, tmp_path: Path, command: str
) -> None:
    (tmp_path / "tunebot.toml").write_text("databas = 3")
    code, out, err = await ended(await tunebot(command))
    assert (code, out) == (2, "")
    assert err.startswith("tunebot: tunebot.toml: databas: no such key")
    assert err.count("\n") == 1


async def test_a_missing_key_is_one_line_and_exit_code_2(tunebot: Start) -> None:
    code, _, err = await ended(await tunebot("run", SCRIPTED_KEY=""))
    assert code == 2
    assert "SCRIPTED_KEY is not set" in err


async def test_no_secret_is_written_anywhere(
    tunebot: Start, model: ScriptedModel, tmp_path: Path
) -> None:
    model.script(Refusal(401, f"Incorrect API key: {model.key}"), Refusal(500, model.key))
    _, out, err = await ended(await tunebot("chat", TUNEBOT_LOG_LEVEL="DEBUG"), "/help\nhi")
    files = b"".join(file.read_bytes() for file in tmp_path.glob("tunebot.db*"))
    assert model.key not in out + err
    assert model.key.encode() not in files


async def test_run_needs_somebody_to_talk_to(tunebot: Start, tmp_path: Path) -> None:
    with (tmp_path / "tunebot.toml").open("a") as config:
        config.write("[adapters.terminal]\n")
    code, _, err = await ended(await tunebot("run"))
    assert code == 2
    assert "tunebot chat" in err


async def test_an_empty_name_of_a_configuration_is_none(tunebot: Start) -> None:
    code, _, err = await ended(await tunebot("backup", "copy.db", TUNEBOT_CONFIG=""))
    assert (code, err) == (1, "tunebot: tunebot.db: no such database; nothing was copied.\n")
