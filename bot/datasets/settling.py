"""The checks of prompts and completions, until no row goes any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from bot.datasets.checks import Choice
from bot.datasets.completion import Examined, examine
from bot.datasets.edit import Edit
from bot.datasets.findings import Finding, Row
from bot.datasets.general import TooLong, leaving, too_few
from bot.datasets.near_duplicates import NearDuplicates
from bot.datasets.pairs import PairSpool


@dataclass(frozen=True, slots=True)
class Settled:
    """The rows that were not left out, what the fifteen checks come to, and what was found beside.
    `derived` are to be closed.
    """

    pairs: PairSpool
    examined: Examined
    findings: Sequence[Finding]
    derived: Sequence[PairSpool]


def settle(
    pairs: PairSpool, rows: int, choice: Choice, model: str = "", context: int = 0
) -> Settled:
    """The fifteen checks, and which examples are too long or nearly the same as they leave them.

    Where such go, what stays may have more in common: it is examined anew.
    """
    every = leaving(choice, model, context)
    checks, derived = every, []
    while True:
        examined = examine(pairs, rows, choice)
        gone = left_out(pairs, examined.edit, checks)
        if 1 not in gone:
            break
        pairs = pairs.without(gone)
        derived.append(pairs)
        checks = [check for check in every if check.takes]
        for check in checks:
            check.again()
    found = [finding for check in every for finding in check.findings()]
    # How many are advised is said by the first of the fifteen checks.
    return Settled(pairs, examined, [*found, *too_few(examined.kept, advised=0)], derived)


def left_out(pairs: PairSpool, edit: Edit, checks: Sequence[TooLong | NearDuplicates]) -> bytes:
    """A byte 1 for each row that the checks leave out, of those that the edit keeps."""
    gone = bytearray(pairs.rows)
    places = compress(range(pairs.rows), edit.keep)
    for lines, prompts, completions in pairs.kept(edit.lowered, edit.keep):
        checks = [check for check in checks if not check.is_done]
        if not checks:
            break
        texts = zip(lines, edit.prompts(prompts), edit.completions(completions), strict=True)
        for line, prompt, completion in texts:
            row: Row | None = Row(line, {"prompt": prompt, "completion": completion})
            place = next(places)
            for check in checks:
                row = row and check.see(row)
            gone[place] = row is None
    return bytes(gone)
