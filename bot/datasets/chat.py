"""Checks of chat examples: {"messages": […], "tools": […]}."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from bot.datasets import general, rules
from bot.datasets.checks import Check, Choice
from bot.datasets.examples import CHAT_KEYS
from bot.datasets.faults import Change, Fault, Faults, Fields, mended
from bot.datasets.findings import Finding, Row
from bot.datasets.message import known_keys, message_faults, without
from bot.datasets.tools import answer_faults, tool_faults, undeclared_faults

Message = Mapping[str, Any]


def checks(choice: Choice, model: str = "", context: int = 0) -> Sequence[Check]:
    """All checks of chat examples, in their order; see `bot.datasets.general.checks`."""
    return [ChatCheck(choice), *general.checks(choice, model, context)]


class ChatCheck:
    """Whether chat examples have the shape that providers take."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._faults = Faults()

    def see(self, row: Row) -> Row | None:
        """The next example; without weights, keys and messages at its end that must not be there,
        if that is chosen.
        """
        remedies = self._faults.add(row.line, chat_faults(row.fields))
        return mended(row, remedies, self._choice, CHANGES) if remedies else row

    def findings(self) -> Sequence[Finding]:
        """What is wrong, rule by rule."""
        return self._faults.findings()


def chat_faults(fields: object) -> Iterator[Fault]:
    """What is wrong with one example; any JSON value may be one."""
    if not isinstance(fields, dict):
        yield Fault(rules.NOT_AN_OBJECT)
        return
    for key in sorted(fields.keys() - CHAT_KEYS):
        yield Fault(rules.UNKNOWN_KEY, key)
    yield from dialogue_faults(fields, fields.get("messages"), _order_faults)


def dialogue_faults(
    declared: Mapping[str, Any],
    messages: object,
    order_faults: Callable[[Sequence[Message]], Iterator[Fault]],
) -> Iterator[Fault]:
    """What is wrong with messages and the tools that are declared for them; what may follow what
    differs between formats.
    """
    yield from tool_faults(declared)
    if not isinstance(messages, list) or not messages:
        yield Fault(rules.NO_MESSAGES)
        return
    yield from each_message(messages)
    if all(isinstance(message, dict) for message in messages):
        yield from order_faults(messages)
        yield from answer_faults(messages)
        yield from undeclared_faults(declared, messages)


def each_message(messages: Sequence[object]) -> Iterator[Fault]:
    """What is wrong with messages one by one."""
    for message in messages:
        yield from message_faults(message)


def _order_faults(messages: Sequence[Message]) -> Iterator[Fault]:
    roles = [message.get("role") for message in messages]
    if "assistant" not in roles:
        yield Fault(rules.NO_ANSWER)
        return
    if roles[-1] != "assistant":
        yield Fault(rules.NOT_LAST)
    if ("assistant", "assistant") in pairwise(roles):
        yield Fault(rules.TWO_ANSWERS)
    answers = [message for message in messages if message.get("role") == "assistant"]
    if all(_is_zero(answer.get("weight")) for answer in answers):
        yield Fault(rules.ALL_UNTRAINED)


def _is_zero(weight: object) -> bool:
    return weight == 0 and not isinstance(weight, bool)


def without_misplaced_weights(fields: Fields) -> Fields:
    """An example in which only answers have weights."""
    messages = [
        without(message, {"weight"}) if message.get("role") != "assistant" else message
        for message in fields["messages"]
    ]
    return {**fields, "messages": messages}


def _ended_with_answer(fields: Fields) -> Fields:
    roles = [message.get("role") for message in fields["messages"]]
    after = roles[::-1].index("assistant")
    return {**fields, "messages": fields["messages"][: len(roles) - after]}


def _known_keys(fields: Fields) -> Fields:
    messages = [known_keys(message) for message in fields["messages"]]
    return {**without(fields, fields.keys() - CHAT_KEYS), "messages": messages}


CHANGES: Mapping[str, Change] = {
    rules.UNWEIGH.key: without_misplaced_weights,
    rules.CUT_END.key: _ended_with_answer,
    rules.STRIP_KEYS.key: _known_keys,
}
