"""Which columns of a table are the prompt and the completion."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.datasets.findings import Finding, Level, Remedy, Weight

# What people call them, the clearest first; a name counts in any case and with spaces around it.
PROMPTS = ("prompt", "question", "instruction", "input", "query", "text", "user", "source")
COMPLETIONS = (
    "completion", "answer", "response", "output", "reply", "assistant", "label", "category",
    "target",
)  # fmt: skip
# What belongs behind an instruction, as in the Alpaca and Dolly data.
INSTRUCTIONS, DETAILS = ("instruction", "instructions"), ("input", "context")
MOST_NAMED = 8  # columns in a sentence


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the two columns, "" where there is none, and of those that are not used. The
    texts of `details` are added to the prompts.
    """

    prompt: str
    completion: str
    extra: tuple[str, ...] = ()
    details: str = ""

    @property
    def used(self) -> tuple[str, str, str]:
        """The names of those that are used."""
        return self.prompt, self.completion, self.details

    def findings(self) -> Iterator[Finding]:
        """What is said about the columns: checks 2 to 4."""
        for wanted, name in (("prompt", self.prompt), ("completion", self.completion)):
            if not name:
                yield missing(wanted, self.extra)
            elif wanted == "prompt" and self.details:
                yield joined(name, self.details)
            elif name != wanted:
                yield renamed(wanted, name)
        if self.extra and self.prompt and self.completion:
            yield extra(self.extra)


def columns_of(names: Collection[str]) -> Columns:
    """Choose the columns. A name as it should be counts before one in another case, and that
    before one that only means the same.
    """
    prompt, completion = chosen(names, PROMPTS), chosen(names, COMPLETIONS)
    details = chosen(names, DETAILS) if prompt.strip().lower() in INSTRUCTIONS else ""
    extra = tuple(name for name in names if name not in {prompt, completion, details})
    return Columns(prompt, completion, extra, details)


def chosen(names: Collection[str], wanted: tuple[str, ...]) -> str:
    """The name that comes first in a list of wanted ones, "" if there is none."""
    for each in wanted:
        if each in names:
            return each
        for name in names:
            if name.strip().lower() == each:
                return name
    return ""


def missing(wanted: str, names: tuple[str, ...]) -> Finding:
    """There is no such column."""
    there = f" The columns are: {listed(names)}." if names else ""
    says = f"There is no column “{wanted}”: name the one that is meant so.{there}"
    if wanted == "prompt":
        says += " For a model that writes without being asked, add it and leave it empty."
    return Finding(f"column-{wanted}", Level.ERROR, says)


def renamed(wanted: str, name: str) -> Finding:
    """A column has another name."""
    says = f"The column “{shown(name)}” is taken for the {wanted}."
    if name.strip().lower() == wanted:
        says = f"The column “{shown(name)}” has to be called “{wanted}”, in lower case."
    remedy = Remedy(f"column-{wanted}", f"Rename “{shown(name)}” to “{wanted}”", Weight.NECESSARY)
    return Finding(f"column-{wanted}", Level.WARNING, says, remedy=remedy)


def joined(name: str, details: str) -> Finding:
    """An instruction and what it is about stand in two columns."""
    both = f"“{shown(name)}” and “{shown(details)}”"
    says = (
        f"The columns {both} are the prompt together: the second stands behind the first, after an "
        "empty line, where it has a text."
    )
    remedy = Remedy("column-prompt", f"Join {both} to “prompt”", Weight.NECESSARY)
    return Finding("column-prompt", Level.WARNING, says, remedy=remedy)


def extra(names: tuple[str, ...]) -> Finding:
    """There are other columns."""
    says = f"Only the prompt and the completion are trained on, not: {listed(names)}."
    if any(name.strip().lower() in {"system", "instructions", "system_prompt"} for name in names):
        says += (
            " A system text needs the chat format. To keep it, write each row as "
            '`{"messages": [{"role": "system", "content": …}, {"role": "user", "content": …}, '
            '{"role": "assistant", "content": …}]}`.'
        )
    remedy = Remedy("extra-columns", f"Leave out {listed(names)}", Weight.NECESSARY)
    return Finding("extra-columns", Level.WARNING, says, count=len(names), remedy=remedy)


def listed(names: tuple[str, ...]) -> str:
    """The first few names."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(shown(name) for name in names[:MOST_NAMED]) + more


def shown(name: str) -> str:
    """A column's name in a sentence."""
    return name if len(name) <= 40 else f"{name[:40]}…"
