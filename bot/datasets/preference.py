"""Checks of preference examples, for DPO: an input, and of two answers the one to prefer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.datasets import general, rules
from bot.datasets.chat import Message, dialogue_faults, each_message
from bot.datasets.checks import Check, Choice
from bot.datasets.faults import Change, Fault, Faults, Fields, mended
from bot.datasets.findings import Finding, Row
from bot.datasets.message import known_keys, without
from bot.datasets.tools import undeclared_faults

OUTPUTS = ("preferred_output", "non_preferred_output")
KEYS = {"input", *OUTPUTS}
INPUT_KEYS = {"messages", "tools", "parallel_tool_calls"}


def checks(choice: Choice, model: str = "", context: int = 0) -> Sequence[Check]:
    """All checks of preference examples, in their order; see `bot.datasets.general.checks`."""
    return [PreferenceCheck(choice), *general.checks(choice, model, context)]


class PreferenceCheck:
    """Whether preference examples have the shape that providers take."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._faults = Faults()

    def see(self, row: Row) -> Row | None:
        """The next example, without keys that mean nothing if that is chosen."""
        remedies = self._faults.add(row.line, preference_faults(row.fields))
        return mended(row, remedies, self._choice, CHANGES) if remedies else row

    def findings(self) -> Sequence[Finding]:
        """What is wrong, rule by rule."""
        return self._faults.findings()


def preference_faults(fields: object) -> Iterator[Fault]:
    """What is wrong with one example; any JSON value may be one."""
    if not isinstance(fields, dict):
        yield Fault(rules.NOT_AN_OBJECT)
        return
    for key in sorted(fields.keys() - KEYS):
        yield Fault(rules.UNKNOWN_KEY, key)
    asked = fields.get("input")
    if not isinstance(asked, dict):
        yield Fault(rules.NO_INPUT)
        asked = {}
    else:
        yield from _input_faults(asked)
    for output in OUTPUTS:
        yield from _output_faults(asked, fields.get(output))
    if all(_is_output(fields.get(output)) for output in OUTPUTS) and _same(fields):
        yield Fault(rules.SAME_OUTPUT)


def _input_faults(asked: Mapping[str, Any]) -> Iterator[Fault]:
    for key in sorted(asked.keys() - INPUT_KEYS):
        yield Fault(rules.UNKNOWN_KEY, key)
    yield from dialogue_faults(asked, asked.get("messages"), _end_faults)


def _end_faults(messages: Sequence[Message]) -> Iterator[Fault]:
    if messages[-1].get("role") == "assistant":
        yield Fault(rules.ANSWERED_INPUT)


def _output_faults(asked: Mapping[str, Any], output: Any) -> Iterator[Fault]:
    if not _is_output(output):
        yield Fault(rules.WRONG_OUTPUT)
        return
    yield from each_message(output)
    yield from undeclared_faults(asked, output)


def _is_output(output: Any) -> bool:
    """Whether this is one message of the assistant."""
    return (
        isinstance(output, list)
        and len(output) == 1
        and isinstance(output[0], dict)
        and output[0].get("role") == "assistant"
    )


def _same(fields: Mapping[str, Any]) -> bool:
    one, other = (without(fields[output][0], {"weight"}) for output in OUTPUTS)
    try:
        return one == other
    except RecursionError:  # too deep to be compared
        return False


def _known_keys(fields: Fields) -> Fields:
    asked = without(fields["input"], fields["input"].keys() - INPUT_KEYS)
    asked["messages"] = [known_keys(message) for message in asked["messages"]]
    outputs = {output: [known_keys(fields[output][0])] for output in OUTPUTS}
    return {"input": asked, **outputs}


CHANGES: Mapping[str, Change] = {rules.STRIP_KEYS.key: _known_keys}
