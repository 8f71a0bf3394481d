"""Checks of reinforcement examples: a question that the model answers, and beside it the fields
that a grader compares the answer with.

https://platform.openai.com/docs/guides/reinforcement-fine-tuning: `messages` and `tools` are
reserved; a grader reads every other field as {{item.FIELD}}. Azure refuses system messages:
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reinforcement-fine-tuning
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.datasets import general, rules
from bot.datasets.chat import Message, dialogue_faults, without_misplaced_weights
from bot.datasets.checks import Check, Choice
from bot.datasets.faults import Change, Fault, Faults, Fields, Places, mended
from bot.datasets.findings import Finding, Level, Row, many
from bot.datasets.message import known_keys

RESERVED = {"messages", "tools"}
MOST_FIELDS = 50  # that are looked for in every example
MOST_NAMED = 5  # in a sentence, and of those that some examples lack
_NAME = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII)  # anything else is in no template


def checks(choice: Choice, model: str = "", context: int = 0) -> Sequence[Check]:
    """All checks of reinforcement examples, in their order; see `bot.datasets.general.checks`."""
    return [ReinforcementCheck(choice), *general.checks(choice, model, context), GradedFields()]


class ReinforcementCheck:
    """Whether reinforcement examples have the shape that providers take."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._faults = Faults()

    def see(self, row: Row) -> Row | None:
        """The next example; ended with its question, if it has one."""
        remedies = self._faults.add(row.line, reinforcement_faults(row.fields))
        return mended(row, remedies, self._choice, CHANGES) if remedies else row

    def findings(self) -> Sequence[Finding]:
        """What is wrong, rule by rule."""
        return self._faults.findings()


class GradedFields:
    """Which fields a grader can read: those that every example has."""

    def __init__(self) -> None:
        self._all = Places()
        self._lacking: dict[str, Places] = {}

    def see(self, row: Row) -> Row:
        """The next example."""
        names = graded_fields(row.fields)
        for name in filter(names.__contains__, row.fields):  # in the file's order
            if name not in self._lacking and len(self._lacking) < MOST_FIELDS:
                self._lacking[name] = Places(self._all.count, [*self._all.lines])
        for name in self._lacking.keys() - names:
            self._lacking[name].add(row.line)
        self._all.add(row.line)
        return row

    def findings(self) -> Sequence[Finding]:
        """The fields of all, then those that only some have."""
        if not self._all.count:
            return []
        named = {name: each for name, each in self._lacking.items() if _NAME.fullmatch(name)}
        common = [name for name, each in named.items() if not each.count]
        some = sorted((each.count, name) for name, each in named.items() if each.count)
        return [self._common(common), *(lacked(name, named[name]) for _, name in some[:MOST_NAMED])]

    def _common(self, names: Sequence[str]) -> Finding:
        if not self._lacking:
            says = (
                "Nothing stands beside the messages: only a grader that needs nothing to compare "
                "with, a model or a program, can judge the answers. To train on answers instead, "
                "end each example with the assistant's."
            )
            return Finding("fields", Level.WARNING, says)
        if not names:
            says = (
                "No field beside the messages stands in all examples: only a grader that needs "
                "nothing to compare with can judge the answers."
            )
            return Finding("fields", Level.WARNING, says)
        listed = ", ".join(f"`{name}`" for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        says = f"A grader can compare answers with what stands in all examples: {listed}{more}."
        return Finding("fields", Level.NOTE, says)


def lacked(name: str, places: Places) -> Finding:
    """A field is not in all examples."""
    says = (
        f"In {many(places.count)} there is no field `{name}`: no grader can read it that is for "
        "all of them."
    )
    return Finding("field-missing", Level.WARNING, says, tuple(places.lines), places.count)


def graded_fields(fields: Fields) -> set[str]:
    """The fields of an example that a grader can read."""
    return fields.keys() - RESERVED


def reinforcement_faults(fields: object) -> Iterator[Fault]:
    """What is wrong with one example; any JSON value may be one."""
    if not isinstance(fields, dict):
        yield Fault(rules.NOT_AN_OBJECT)
        return
    # Any other field is the grader's.
    declared = {"tools": fields.get("tools")}
    yield from dialogue_faults(declared, fields.get("messages"), _order_faults)


def _order_faults(messages: Sequence[Message]) -> Iterator[Fault]:
    roles = [message.get("role") for message in messages]
    if all(role == "assistant" for role in roles):
        yield Fault(rules.NOTHING_ASKED)
    elif roles[-1] == "assistant":
        yield Fault(rules.ANSWERED)
    if "system" in roles:
        yield Fault(rules.SYSTEM)


def ended_with_question(fields: Fields) -> Fields:
    """An example without the answers at its end."""
    messages = list(fields["messages"])
    while messages[-1]["role"] == "assistant":
        messages.pop()
    return {**fields, "messages": messages}


def with_developer(fields: Fields) -> Fields:
    """An example whose instructions are the developer's."""
    messages = [
        {**message, "role": "developer"} if message["role"] == "system" else message
        for message in fields["messages"]
    ]
    return {**fields, "messages": messages}


def _known_keys(fields: Fields) -> Fields:
    return {**fields, "messages": [known_keys(message) for message in fields["messages"]]}


CHANGES: Mapping[str, Change] = {
    rules.UNWEIGH.key: without_misplaced_weights,
    rules.CUT_ANSWER.key: ended_with_question,
    rules.TO_DEVELOPER.key: with_developer,
    rules.STRIP_KEYS.key: _known_keys,
}
