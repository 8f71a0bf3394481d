"""What must not be learnt is masked or taken out of prompts and completions, before anything else
is judged: the fifteen checks see what is left of them. What looks like a secret only once a common
beginning is cut off is found when the prepared file is examined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.datasets.checks import Check, Choice
from bot.datasets.findings import Finding, Row
from bot.datasets.general import rewriting
from bot.datasets.patches import Batches, Patch, Patched
from bot.datasets.spool import Pairs


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Prompts and completions as the chosen remedies leave them, and what was found."""

    pairs: Batches[Pairs]
    findings: Sequence[Finding]


def clean(pairs: Batches[Pairs], suspects: bytes, choice: Choice) -> Cleaned:
    """Look at the suspects; those that have nothing to change are the same object afterwards.

    A row whose completion has nothing else goes, as empty ones do.
    """
    if 1 not in suspects:
        return Cleaned(pairs, ())
    checks = rewriting(choice)
    patched, begin = Patched(pairs), 0
    for batch in pairs:
        marks = suspects[begin : begin + len(batch.lines)]
        begin += len(marks)
        patched.add(patch(batch, marks, checks))
    findings = [finding for check in checks for finding in check.findings()]
    if not patched.changed:
        patched.close()
        return Cleaned(pairs, findings)
    return Cleaned(patched, findings)


def patch(batch: Pairs, suspects: bytes, checks: Sequence[Check]) -> Patch:
    """What the checks change in a batch."""
    keep = bytearray(b"\1" * len(suspects))
    at: list[int] = []
    prompts: list[str] = []
    completions: list[str] = []
    place = suspects.find(1)
    while place >= 0:
        pair = {"prompt": batch.prompts[place], "completion": batch.completions[place]}
        row: Row | None = Row(batch.lines[place], pair)
        for check in checks:
            row = row and check.see(row)
        if row is None or not row.fields["completion"].strip():
            keep[place] = 0
        elif row.fields != pair:
            at.append(place)
            prompts.append(row.fields["prompt"])
            completions.append(row.fields["completion"])
        place = suspects.find(1, place + 1)
    return Patch(bytes(keep), at, (prompts, completions))
