"""Training data from conversations that the bot had.

Only whole answers are in, and an answer that was continued to its end is whole. What was stopped,
cut, filtered, broken off or failed is left out with its question; what /retry replaced is only
looked at for preferences. Speech was written down and counts as text; other files do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.datasets import rules
from bot.datasets.conversion import as_completions
from bot.datasets.faults import Fault, Faults, Rule
from bot.datasets.findings import Finding, Row
from bot.messages import Ending, Profile, Role, Turn
from bot.prompt import alternating

Message = dict[str, Any]


@dataclass(slots=True)
class Answer:
    """An answer with its continuations; `liked` is what people think of all of it."""

    text: str
    ending: Ending
    liked: int

    @property
    def is_whole(self) -> bool:
        """Whether a model may learn from it."""
        return self.ending is Ending.WHOLE and bool(self.text.strip())


@dataclass(slots=True)
class Exchange:
    """A question, and what was answered: several times, if it was asked again. The last stands."""

    questions: list[Turn] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def question(self) -> str:
        """What was asked, as a model is shown it."""
        return alternating(self.questions)[0].text if self.questions else ""

    @property
    def has_files(self) -> bool:
        """Whether the answer rests on more than text."""
        return any(not file.is_speech for turn in self.questions for file in turn.attachments)


class Conversations:
    """Makes examples of conversations, one after the other. The line of a row is the number of its
    conversation, counted from 1.

    Each takes all turns of one conversation, oldest first, replaced and failed ones too, with their
    feedback; what /reset separates are conversations of their own. With `liked_only` the answers
    that nobody likes are not trained, otherwise only those that more people dislike than like.
    """

    def __init__(self, profile: Profile, *, liked_only: bool = False) -> None:
        self._profile = profile
        self._least = 1 if liked_only else 0
        self._faults = Faults("conversation")
        self._number = 0

    def chat(self, turns: Sequence[Turn]) -> list[Row]:
        """A conversation as a chat example, or none where nothing is to be learnt from it."""
        self._number += 1
        messages: list[Message] = []
        for exchange in self._kept(turns):
            answer = exchange.answers[-1]
            messages += [_user(exchange.question), self._assistant(answer)]
        if all(message.get("weight") == 0 for message in messages[1::2]):
            self._note(rules.NOTHING_LEFT)
            return []
        return [Row(self._number, {"messages": [*self._instructions, *messages]})]

    def completions(self, turns: Sequence[Turn]) -> list[Row]:
        """A conversation as completions, one for each answer that is trained."""
        rows: list[Row] = []
        for row in self.chat(turns):
            converted = as_completions(row.fields, self._profile)
            if isinstance(converted, Rule):
                self._note(converted)
            else:
                rows += [row._replace(fields=fields) for fields in converted]
        return rows

    def preferences(self, turns: Sequence[Turn]) -> list[Row]:
        """The disliked answers of a conversation that were asked for again, each beside the liked
        one that came then.
        """
        self._number += 1
        rows = []
        asked = self._instructions
        for exchange in self._kept(turns):
            asked = [*asked, _user(exchange.question)]
            *earlier, answer = exchange.answers
            if answer.liked > 0:
                rows += [
                    Row(self._number, _preference(asked, answer.text, worse.text))
                    for worse in earlier
                    if worse.liked < 0 and worse.ending is Ending.REPLACED
                    if worse.text.strip() and worse.text != answer.text
                ]
            asked = [*asked, {"role": "assistant", "content": answer.text}]
        if not rows:
            self._note(rules.NOTHING_LEFT)
        return rows

    def findings(self) -> Sequence[Finding]:
        """What was left out, and in how many conversations."""
        return self._faults.findings()

    @property
    def _instructions(self) -> list[Message]:
        system = self._profile.system
        return [{"role": "system", "content": system}] if system else []

    def _kept(self, turns: Sequence[Turn]) -> list[Exchange]:
        """The exchanges to learn from; a note is made of why others are not."""
        kept = []
        notes = []
        for exchange in exchanges(turns):
            if not exchange.answers or not exchange.answers[-1].is_whole:
                seen = exchange.answers[-1].ending.value if exchange.answers else "unanswered"
                notes.append(Fault(rules.UNFINISHED, seen))
            elif exchange.has_files:
                notes.append(Fault(rules.WITH_FILES))
            elif exchange.question.strip():
                kept.append(exchange)
                if exchange.answers[-1].liked < self._least:
                    notes.append(Fault(rules.UNTRAINED))
        self._faults.add(self._number, notes)
        return kept

    def _assistant(self, answer: Answer) -> Message:
        message: Message = {"role": "assistant", "content": answer.text}
        return message if answer.liked >= self._least else {**message, "weight": 0}

    def _note(self, rule: Rule) -> None:
        self._faults.add(self._number, [Fault(rule)])


def exchanges(turns: Sequence[Turn]) -> Iterator[Exchange]:
    """The turns of a conversation as questions with their answers."""
    exchange = Exchange()
    for turn in turns:
        if turn.role is Role.USER:
            if exchange.answers:
                yield exchange
                exchange = Exchange()
            exchange.questions.append(turn)
        elif turn.continues and exchange.answers:
            before = exchange.answers[-1]
            liked = before.liked + turn.feedback
            exchange.answers[-1] = Answer(before.text + turn.text, turn.ending, liked)
        else:
            exchange.answers.append(Answer(turn.text, turn.ending, turn.feedback))
    if exchange.questions or exchange.answers:
        yield exchange


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def _preference(asked: Sequence[Message], better: str, worse: str) -> dict[str, Any]:
    return {
        "input": {"messages": list(asked)},
        "preferred_output": [{"role": "assistant", "content": better}],
        "non_preferred_output": [{"role": "assistant", "content": worse}],
    }
