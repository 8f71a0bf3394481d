"""What is wrong with examples, collected rule by rule while a file passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bot.datasets.checks import Choice
from bot.datasets.findings import MOST_LINES, Finding, Level, Remedy, Row, many

MOST_DETAILS = 4
# What is named in a finding. Anything else may be what somebody wrote, or a secret.
_HARMLESS = re.compile(r"[A-Za-z_]{1,24}")

Fields = dict[str, Any]
# An example's fields as they should be; those that it was given stay as they are.
Change = Callable[[Fields], Fields]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that can be wrong with an example. `says` completes "In 3 examples …"; the number
    of examples that a remedy is for stands as {examples} in it.
    """

    key: str
    says: str
    level: Level = Level.ERROR
    remedy: Remedy | None = None


class Fault(NamedTuple):
    """A rule that an example breaks; `detail` is a name from the example that helps to find it."""

    rule: Rule
    detail: str = ""


@dataclass(slots=True)
class Places:
    """Where something was seen: the first few lines, and how many there are."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def add(self, line: int) -> None:
        """One more place."""
        self.count += 1
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)

    def name(self, detail: str) -> None:
        """Remember a name that was seen, if it is one."""
        new = detail not in self.details and len(self.details) < MOST_DETAILS
        if new and _HARMLESS.fullmatch(detail):
            self.details.append(detail)


class Faults:
    """Faults of examples, or of whatever else `what` names, counted once for each and rule."""

    def __init__(self, what: str = "example") -> None:
        self._what = what
        self._places: dict[Rule, Places] = {}
        self._remedied: dict[Remedy, int] = {}

    def add(self, line: int, faults: Iterable[Fault]) -> set[Remedy]:
        """Count what is wrong with the example that begins at a line; what can be done about it."""
        rules: set[Rule] = set()
        for rule, detail in faults:
            places = self._places.setdefault(rule, Places())
            if rule not in rules:
                rules.add(rule)
                places.add(line)
            places.name(detail)
        remedies = {rule.remedy for rule in rules if rule.remedy}
        for remedy in remedies:
            self._remedied[remedy] = self._remedied.get(remedy, 0) + 1
        return remedies

    def findings(self) -> list[Finding]:
        """A finding for each rule that was broken, the worst first.

        Rules that are mended in one way share their remedy: it has one key and one count.
        """
        order = list(Level)
        return sorted(
            (self._finding(rule, places) for rule, places in self._places.items()),
            key=lambda finding: order.index(finding.level),
        )

    def _finding(self, rule: Rule, places: Places) -> Finding:
        seen = f" (seen: {', '.join(places.details)})" if places.details else ""
        says = f"In {many(places.count, self._what)} {rule.says}{seen}."
        return Finding(
            rule.key, rule.level, says, tuple(places.lines), places.count, self._remedy(rule.remedy)
        )

    def _remedy(self, remedy: Remedy | None) -> Remedy | None:
        if remedy is None:
            return None
        says = remedy.says.format(examples=many(self._remedied[remedy]))
        return replace(remedy, says=says)


def mended(
    row: Row, remedies: Iterable[Remedy], choice: Choice, changes: Mapping[str, Change]
) -> Row | None:
    """A row as the chosen ones of its remedies leave it.

    `changes` has what a remedy does by its key; one that is not among them leaves the row out.
    """
    taken = {remedy.key for remedy in remedies if choice.takes(remedy)}
    if taken - changes.keys():
        return None
    fields = row.fields
    for key in changes:
        if key in taken:
            fields = changes[key](fields)
    return row._replace(fields=fields)
