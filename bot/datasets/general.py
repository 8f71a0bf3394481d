"""What else costs a failed job or a worse model, whatever the format of the examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.datasets.checks import Check, Choice
from bot.datasets.counting import ExampleTokens, trained_window
from bot.datasets.duplicates import Duplicates
from bot.datasets.examples import rewritten, strings
from bot.datasets.faults import MOST_DETAILS, Places
from bot.datasets.findings import Finding, Level, Remedy, Row, many
from bot.datasets.near_duplicates import NearDuplicates
from bot.datasets.personal import PersonalData, masked
from bot.models.tokens import Tokens

LEAST = 10  # OpenAI refuses fewer: facts/prepare-data.md
ADVISED = 50  # https://platform.openai.com/docs/guides/fine-tuning, "Example count recommendations"

# Of OpenAI's models, and of those that run on one's own machines (Llama, Qwen, Mistral, Gemma).
# In any case: texts may be put in lower case later.
SPECIAL = re.compile(
    r"<\|[a-z][a-z0-9_]{2,30}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>",
    re.ASCII | re.IGNORECASE,
)

REMOVE_LONG = Remedy("drop-too-long", "Remove examples that are too long")
REMOVE_SPECIAL = Remedy("strip-special", "Remove special tokens")


def checks(
    choice: Choice, model: str = "", context: int = 0, *, tokens: Tokens | None = None
) -> list[Check]:
    """The checks for every format, in their order; they come after those of the format itself.

    `context` is the model's window where its name does not tell it; with neither, nothing is too
    long. The number of examples is looked at last: it is that of what is left.
    """
    return [
        *rewriting(choice),
        Duplicates(choice),  # what was rewritten may be the same now
        *leaving(choice, model, context, tokens=tokens),
        TooFew(),
    ]


def rewriting(choice: Choice) -> list[Check]:
    """Those whose remedies change texts."""
    return [SpecialTokens(choice), PersonalData(choice)]


def leaving(
    choice: Choice, model: str = "", context: int = 0, *, tokens: Tokens | None = None
) -> list[TooLong | NearDuplicates]:
    """Those whose remedies leave examples out that are otherwise in order."""
    return [TooLong(choice, model, context, tokens or Tokens()), NearDuplicates(choice)]


class TooFew:
    """Whether there are enough examples: any at all, enough for OpenAI, enough for a good model.

    Other providers, this machine among them, train on less than OpenAI does.
    """

    def __init__(self, least: int = LEAST, advised: int = ADVISED) -> None:
        self._least = least
        self._advised = advised
        self._count = 0

    def see(self, row: Row) -> Row:
        """The next example."""
        self._count += 1
        return row

    def findings(self) -> Sequence[Finding]:
        """One finding, if there are too few."""
        return too_few(self._count, self._least, self._advised)


def too_few(count: int, least: int = LEAST, advised: int = ADVISED) -> Sequence[Finding]:
    """What is said about the number of examples that are left."""
    left = f"{many(count)} {'is' if count == 1 else 'are'} left"
    if not count:
        return [Finding("none", Level.ERROR, "No example is left to train from.")]
    if count < least:
        says = f"{left}; OpenAI refuses fewer than {least}: add more."
        return [Finding("too-few", Level.WARNING, says)]
    if count < advised:
        says = f"{left}; a difference is mostly seen from {advised} good ones on."
        return [Finding("few", Level.NOTE, says)]
    return []


class TooLong:
    """Examples with more tokens than a model is trained on; the end is cut off, which often is
    the answer. Tokens are counted exactly, and only where the length makes it possible at all.
    """

    def __init__(self, choice: Choice, model: str, context: int, tokens: Tokens) -> None:
        self.takes = choice.takes(REMOVE_LONG)
        self._model = model
        self._window = trained_window(model, context)
        self._tokens = ExampleTokens(model, tokens)
        self._places = Places()

    @property
    def is_done(self) -> bool:
        """Whether more examples need not be shown to it."""
        return not self._window

    def again(self) -> None:
        """What is left of the examples is shown once more."""

    def see(self, row: Row) -> Row | None:
        """The next example, unless it is too long and that is not wanted."""
        if not self._window or not self._tokens.exceeds(row.fields, self._window):
            return row
        self._places.add(row.line)
        return None if self.takes else row

    def findings(self) -> Sequence[Finding]:
        """One finding, if there are any."""
        if not self._places.count:
            return []
        says = (
            f"{many(self._places.count)} {'has' if self._places.count == 1 else 'have'} more than "
            f"the {self._window:,} tokens that {self._model or 'the model'} is trained on: the end "
            f"is cut off, and with it the answer."
        )
        remedy = replace(REMOVE_LONG, says=f"Remove {many(self._places.count)} that are too long")
        lines = tuple(self._places.lines)
        return [Finding("too-long", Level.WARNING, says, lines, self._places.count, remedy)]


class SpecialTokens:
    """Names of tokens by which models mark where messages begin and end. In training data they are
    plain text: the model learns to write them.
    """

    def __init__(self, choice: Choice) -> None:
        self._takes = choice.takes(REMOVE_SPECIAL)
        self._places = Places()
        self._seen: list[str] = []

    def see(self, row: Row) -> Row:
        """The next example, without such tokens if that is chosen."""
        if not row.is_suspect:
            return row
        found = [match[0] for text in strings(row.fields) for match in SPECIAL.finditer(text)]
        if not found:
            return row
        self._places.add(row.line)
        for token in found:
            if token not in self._seen and len(self._seen) < MOST_DETAILS:
                self._seen.append(token)
        if not self._takes:
            return row
        return row._replace(fields=rewritten(row.fields, without_special))

    def findings(self) -> Sequence[Finding]:
        """One finding, if there are any."""
        if not self._places.count:
            return []
        says = (
            f"In {many(self._places.count)} there are special tokens of models as text "
            f"({masked(', '.join(self._seen))}): the model would write them into its answers."
        )
        remedy = replace(
            REMOVE_SPECIAL, says=f"Remove special tokens from {many(self._places.count)}"
        )
        lines = tuple(self._places.lines)
        return [Finding("special", Level.WARNING, says, lines, self._places.count, remedy)]


def without_special(text: str) -> str:
    """A text without special tokens, also without those that appear when others are taken out."""
    while (shorter := SPECIAL.sub("", text)) != text:
        text = shorter
    return text
