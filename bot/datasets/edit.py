"""What preparation changes in the rows that it keeps: the sum of the remedies that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.datasets.pairs import Lowered


class Space(StrEnum):
    """Which completions get a space in front."""

    NONE = "none"
    MISSING = "missing"  # those that begin with another character
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of every row. `cut_prompt` and `cut_completion` are characters at their beginnings,
    of a completion after its space, which goes too; `keep` are the rows that stay, a byte 1 for
    each of them.
    """

    keep: bytes
    lowered: Lowered = frozenset()
    separator: str = ""
    cut_prompt: int = 0
    cut_completion: int = 0
    ending: str = ""
    space: Space = Space.NONE

    def prompts(self, texts: list[str]) -> list[str]:
        """Prompts as they are to be, already in the right case."""
        if not self.cut_prompt and not self.separator:
            return texts
        return [text[self.cut_prompt :] + self.separator for text in texts]

    def completions(self, texts: list[str]) -> list[str]:
        """Completions as they are to be, already in the right case."""
        if self.cut_completion:
            texts = [text.removeprefix(" ")[self.cut_completion :] for text in texts]
        if self.space is Space.ALL:
            return [f" {text}{self.ending}" for text in texts]
        if self.space is Space.MISSING:
            return [
                text + self.ending if text[:1] == " " else f" {text}{self.ending}" for text in texts
            ]
        return [text + self.ending for text in texts] if self.ending else texts
