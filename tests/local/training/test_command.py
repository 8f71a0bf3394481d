"""The process: its output, its end, and its life after a death."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, cast

import pytest

from bot.local.training.spec import Spec

COMMAND = [sys.executable, "-m", "bot.local.training"]


def start(spec: Spec) -> subprocess.Popen[str]:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    file = spec.output.with_suffix(".json")
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    command = [*COMMAND, str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in output.splitlines()]


def test_process_that_is_killed_and_started_again_ends_with_the_same_bytes(
    spec: Spec, tmp_path: Path
) -> None:
    spec = spec.model_copy(update={"epochs": 50})
    whole = start(spec)
    events = finish(whole)
    assert whole.returncode == 0
    again = spec.model_copy(update={"output": tmp_path / "again"})
    with start(again) as killed:
        for line in cast(IO[str], killed.stdout):
            if json.loads(line).get("step") == 20:
                killed.kill()
                break
    rest = start(again)
    others = finish(rest)
    assert rest.returncode == 0
    assert next(event["step"] for event in others if event["type"] == "resumed") >= 15
    assert [event["message"] for event in others[-100:]] == [
        event["message"] for event in events[-100:]
    ]
    assert Path(others[-1]["adapter"]).read_bytes() == Path(events[-1]["adapter"]).read_bytes()


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        ({"training_file": "{folder}/bad.jsonl"}, "invalid_file", 2),
        ({"training_file": "{folder}/missing.jsonl"}, "file_error", None),
        ({"model": "{folder}/missing.gguf"}, "file_error", None),
        ({"model": "{folder}/bad.jsonl"}, "invalid_model", None),
        ({"seed": -1}, "invalid_spec", None),
    ],
)
def test_error_is_the_last_event_and_the_exit_status_1(
    change: dict[str, Any], code: str, line: int | None, spec: Spec, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{}\n')
    change = {
        key: each.format(folder=tmp_path) if isinstance(each, str) else each
        for key, each in change.items()
    }
    process = start(spec.model_copy(update=change))
    (error,) = finish(process)
    assert process.returncode == 1
    assert (error["type"], error["level"]) == ("error", "error")
    assert (error["code"], error["line"]) == (code, line)
    assert error["message"].endswith(".") or code == "invalid_spec"


def test_process_whose_reader_has_died_ends(spec: Spec) -> None:
    with start(spec.model_copy(update={"epochs": 50, "batch_size": 1})) as process:
        stdout = cast(IO[str], process.stdout)
        stdout.readline()
        stdout.close()
        assert process.wait(60) == 1


def test_process_whose_reader_has_died_ends_also_while_it_reads(spec: Spec) -> None:
    spec.training_file.unlink()
    os.mkfifo(spec.training_file)  # there is nobody who writes
    with start(spec) as process:
        cast(IO[str], process.stdout).close()
        assert process.wait(60) == 1


def test_package_is_imported_without_numpy_and_gguf() -> None:
    script = (
        "import sys; sys.modules['numpy'] = sys.modules['gguf'] = None\n"
        "import bot.local.training.spec, bot.local.training.events, bot.local.training.fault"
    )
    command = [sys.executable, "-c", script]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603 - our own
