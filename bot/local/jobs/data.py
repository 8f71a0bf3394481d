"""Whether a job can be made from a file of training data, and of which kind it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from bot.datasets.chat import chat_faults
from bot.datasets.examples import is_graded
from bot.datasets.faults import Fault
from bot.datasets.findings import Level
from bot.datasets.preference import preference_faults
from bot.training import Kind

MOST_LINES = 5  # that are named
LONGEST_LINE = 16 << 20  # bytes


class Examined(NamedTuple):
    """What a file is. `fault` says which lines are wrong, and why; "" if none is."""

    kind: Kind | None
    fault: str


class Interrupted(Exception):
    """There is no time to look at the rest of a file."""


def examine(path: Path, interrupted: Callable[[], bool] = lambda: False) -> Examined:
    """Look at every line of a file. The first one says what the others must be.

    Raises OSError, and Interrupted as soon as `interrupted` says so.
    """
    kind: Kind | None = None
    wrong: list[str] = []
    count = 0
    for number, fields in rows(path):
        if interrupted():
            raise Interrupted
        kind = kind or kind_of(fields)
        reason = reason_against(fields, kind)
        count += bool(reason)
        if reason and len(wrong) < MOST_LINES:
            wrong.append(f"Line {number}: {reason}.")
    if not kind and not wrong:
        return Examined(None, "The file is empty: write one JSON object on each line.")
    if count > len(wrong):
        wrong.append(f"{count - len(wrong)} more lines are wrong.")
    return Examined(kind, " ".join(wrong))


def rows(path: Path) -> Iterator[tuple[int, Any]]:
    """The values of a file with their line numbers; None for what is no JSON."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            fields = None
            if len(line) == LONGEST_LINE:
                pass_over(file)
            elif not line.strip():
                continue
            else:
                with suppress(ValueError, RecursionError):
                    fields = json.loads(line.decode("utf-8-sig"))
            yield number, fields


def pass_over(file: IO[bytes]) -> None:
    """Read on to the end of a line that is too long to be kept."""
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def kind_of(fields: Any) -> Kind | None:
    """What a row is, by its fields; None for what none is."""
    if not isinstance(fields, dict):
        return None
    if "messages" in fields:
        return "reinforcement" if is_graded(fields) else "chat"
    if "preferred_output" in fields or "input" in fields:
        return "preference"
    return "completion" if "prompt" in fields or "completion" in fields else None


def reason_against(fields: Any, kind: Kind | None) -> str:
    """Why a row cannot be learned from; "" if it can."""
    if not isinstance(fields, dict):
        return f"this is no JSON object of {LONGEST_LINE >> 20} MB at most"
    if kind is None:
        return (
            "there is neither `messages`, nor `prompt` and `completion`, nor `input` with"
            " `preferred_output` and `non_preferred_output`"
        )
    if kind_of(fields) == "reinforcement":
        return "this is a question to be graded, and this machine learns from answers only"
    if (found := kind_of(fields)) != kind:
        return f"this is no {kind} example as those before it"
    if found == "completion":
        return completion_reason(fields)
    faults: Callable[[object], Iterator[Fault]]
    faults = chat_faults if found == "chat" else preference_faults
    errors = (fault.rule.says for fault in faults(fields) if fault.rule.level is Level.ERROR)
    return next(errors, "")


def completion_reason(fields: dict[str, Any]) -> str:
    for key in ("prompt", "completion"):
        if not isinstance(fields.get(key), str):
            return f"`{key}` is not a text"
    return "" if fields["completion"] else "`completion` is empty"
