"""What a check of training data must offer, so that a pass over a file can feed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from bot.datasets.findings import Finding, Remedy, Row, Weight


class Choice:
    """Which remedies are applied. `Choice()` is the necessary and the recommended ones.

    A choice is a value: the same file and an equal choice give an equal report.
    """

    def __init__(self, keys: frozenset[str] | None = None) -> None:
        self.keys = keys

    def takes(self, remedy: Remedy) -> bool:
        """Whether a remedy is applied. Necessary ones always are."""
        if remedy.weight is Weight.NECESSARY:
            return True
        if self.keys is None:
            return remedy.weight is Weight.RECOMMENDED
        return remedy.key in self.keys

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and other.keys == self.keys

    def __hash__(self) -> int:
        return hash(self.keys)


class Check(Protocol):
    """One thing that is looked for in chat or preference rows. It serves for one pass, then it is
    done: a pass makes new ones.

    Checks stand in a row: each sees what the remedies that were chosen left of it.
    """

    def see(self, row: Row) -> Row | None:
        """Look at the next row and give it back as the chosen remedies of this check leave it;
        None leaves it out. It must not change the row that it was given.
        """

    def findings(self) -> Sequence[Finding]:
        """What was found in all rows, after the last one."""


Checks: TypeAlias = Callable[[Choice, str, int], Sequence[Check]]
"""Makes the checks of a format, in their order, for a choice of remedies, a model, and its window
where its name does not tell it; both may be nothing: `bot.datasets.chat.checks`.
"""
