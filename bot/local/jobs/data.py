"""Whether a job can be made from a file of training data, and of which kind it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from bot.datasets.chat import chat_faults
from bot.datasets.examples import is_graded
from bot.datasets.faults import Fault
from bot.datasets.findings import Level
from bot.datasets.preference import preference_faults
from bot.local.training.data import HALF, has_half
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
    for number, fields, unread in rows(path):
        if interrupted():
            raise Interrupted
        kind = kind or kind_of(fields)
        reason = unread or reason_against(fields, kind)
        count += bool(reason)
        if reason and len(wrong) < MOST_LINES:
            wrong.append(f"Line {number}: {reason}.")
    if not kind and not wrong:
        return Examined(None, "The file is empty: write one JSON object on each line.")
    if count > len(wrong):
        wrong.append(f"{count - len(wrong)} more lines are wrong.")
    return Examined(kind, " ".join(wrong))


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    """The objects of a file with their line numbers; an empty one where there is none, with the
    reason.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                pass_over(file)
                yield (
                    number,
                    {},
                    f"this is longer than the {LONGEST_LINE >> 20} MB that a line may have",
                )
            elif line.strip():
                yield number, *object_in(line)


def object_in(line: bytes) -> tuple[dict[str, Any], str]:
    """What is in a line, or why that is no object."""
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {}, "this is no text in UTF-8"
    except json.JSONDecodeError as error:
        return {}, f"this is no JSON ({error.msg}, character {error.colno})"
    except (ValueError, RecursionError):  # a number of too many digits
        return {}, "this is JSON with a number that is too long, or nested too deeply"
    return (fields, "") if isinstance(fields, dict) else ({}, "this is JSON, but no object")


def pass_over(file: IO[bytes]) -> None:
    """Read on to the end of a line that is too long to be kept."""
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def kind_of(fields: dict[str, Any]) -> Kind | None:
    """What a row is, by its fields; None for what none is."""
    if "messages" in fields:
        return "reinforcement" if is_graded(fields) else "chat"
    if "preferred_output" in fields or "input" in fields:
        return "preference"
    return "completion" if "prompt" in fields or "completion" in fields else None


def reason_against(fields: dict[str, Any], kind: Kind | None) -> str:
    """Why a row cannot be learned from; "" if it can."""
    if has_half(fields):
        return HALF
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
