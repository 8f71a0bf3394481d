"""Chat, preference and reinforcement rows as a choice of remedies leaves them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence

import orjson

from bot.datasets import chat, preference, reinforcement
from bot.datasets.checks import Check, Checks, Choice
from bot.datasets.examples import Format, said
from bot.datasets.findings import Finding, Row
from bot.datasets.gathering import Rows
from bot.datasets.patches import Patch, Patched
from bot.datasets.sampling import content_key
from bot.datasets.selection import Task
from bot.datasets.spool import Spool

CHECKS: Mapping[Format, Checks] = {
    Format.CHAT: chat.checks,
    Format.PREFERENCE: preference.checks,
    Format.REINFORCEMENT: reinforcement.checks,
}


class PreparedRows:
    """Rows of any format but prompts and completions, looked at in one pass."""

    task: Task | None = None
    separator = ""
    stop = ""
    answer_prefix = ""

    def __init__(
        self,
        spool: Spool[Rows],
        suspects: bytes,
        form: Format,
        choice: Choice,
        model: str,
        context: int,
    ) -> None:
        checks = CHECKS[form](choice, model, context)
        self._rows, begin = Patched(spool), 0
        for batch in spool:
            marks = suspects[begin : begin + len(batch.lines)]
            begin += len(marks)
            self._rows.add(patch(batch, marks, checks))
        self.kept = self._rows.rows
        self.findings: Sequence[Finding] = [each for check in checks for each in check.findings()]

    def close(self) -> None:
        """Delete what differs from what was read."""
        self._rows.close()

    def labels(self) -> tuple[str, ...]:
        """There are none."""
        return ()

    def groups(self) -> Sequence[int]:
        """All in one."""
        return bytes(self.kept)

    def contents(self) -> Sequence[int]:
        """A number for what is said in each row."""
        return array("Q", (content_key(said(row)) for batch in self._rows for row in batch.rows))

    def lines(self) -> Iterator[list[bytes]]:
        """The rows as they stood, but for the remedies."""
        for batch in self._rows:
            yield [orjson.dumps(row, None, orjson.OPT_APPEND_NEWLINE) for row in batch.rows]


def patch(batch: Rows, suspects: bytes, checks: Sequence[Check]) -> Patch:
    """What the checks change in a batch."""
    keep = bytearray(b"\1" * len(batch.lines))
    at, values = [], []
    for place, (line, fields) in enumerate(zip(*batch, strict=True)):
        row = passed(Row(line, fields, suspects[place] == 1), checks)
        if row is None:
            keep[place] = 0
        elif row.fields is not fields:
            at.append(place)
            values.append(row.fields)
    return Patch(bytes(keep), at, (values,))


def passed(row: Row | None, checks: Sequence[Check]) -> Row | None:
    """A row as all checks leave it, None where one leaves it out."""
    for check in checks:
        if row is None:
            return None
        row = check.see(row)
    return row
