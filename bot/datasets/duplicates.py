"""Examples that are the same, letter for letter: in a file, or in two that must not share any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson

from bot.datasets.checks import Choice
from bot.datasets.examples import said
from bot.datasets.faults import Places
from bot.datasets.findings import Finding, Level, Remedy, Row, many
from bot.datasets.sampling import Seen, content_key, key_of

MOST_KEYS = 500_000  # about 50 MB

REMOVE = Remedy("drop-duplicates", "Remove the duplicates")
REMOVE_SHARED = Remedy("drop-shared", "Remove what validation has from the training file")


class Duplicates:
    """Examples that stand in the file twice. The first of them stays."""

    def __init__(self, choice: Choice) -> None:
        self._takes = choice.takes(REMOVE)
        self._seen = Seen(MOST_KEYS)
        self._places = Places()
        self._found = 0

    def see(self, row: Row) -> Row | None:
        """The next example, unless it is there already and that is not wanted."""
        try:
            key = key_of([orjson.dumps(row.fields, None, orjson.OPT_SORT_KEYS).decode()])
        except orjson.JSONEncodeError:  # too deep to be compared
            return row
        if self._seen.first(key) is None:
            self._seen.add(key, row.line)
            return row
        self._places.add(row.line)
        self._found += self._seen.weight
        return None if self._takes else row

    def findings(self) -> Sequence[Finding]:
        """How many there are; estimated where there are too many examples to remember all."""
        if not self._found:
            return []
        about = "About " if self._seen.weight > 1 else ""
        verb = "is" if self._found == 1 else "are"
        says = f"{about}{many(self._found)} {verb} the same as an earlier one."
        remedy = replace(REMOVE, says=f"Remove {many(self._places.count, 'duplicate')}")
        lines = tuple(self._places.lines)
        return [Finding("duplicate", Level.WARNING, says, lines, self._found, remedy)]


class Overlap:
    """Training examples that stand in the validation file too: what is measured there then says
    how well they were learnt by heart. Case and spaces make no difference.
    """

    def __init__(self, choice: Choice, validation: Iterable[Row]) -> None:
        self._takes = choice.takes(REMOVE_SHARED)
        self._places = Places()
        self._shared = 0
        self._seen = Seen(MOST_KEYS)
        for row in validation:
            self._seen.add(content_key(said(row.fields)), row.line)

    def see(self, row: Row) -> Row | None:
        """The next training example, unless validation has it and that is not wanted."""
        if self._seen.first(content_key(said(row.fields))) is None:
            return row
        self._places.add(row.line)
        self._shared += self._seen.weight
        return None if self._takes else row

    def findings(self) -> Sequence[Finding]:
        """How many are in both files."""
        if not self._shared:
            return []
        about = "About " if self._seen.weight > 1 else ""
        says = (
            f"{about}{many(self._shared, 'training example')} of this file "
            f"{'stands' if self._shared == 1 else 'stand'} in the validation file too, so its "
            "loss will look better than it is."
        )
        count = many(self._places.count)
        remedy = replace(REMOVE_SHARED, says=f"Remove {count} from the training file")
        lines = tuple(self._places.lines)
        return [Finding("overlap", Level.WARNING, says, lines, self._shared, remedy)]
