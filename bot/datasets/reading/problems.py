"""What is wrong with the lines of a file, counted while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.datasets.findings import MOST_LINES, Finding, Level, Remedy, Weight


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that lines can have: "3 lines `what` (lines 2, 5 and 9): `advice`". One that
    `drops` leaves them out, which nobody may decline.
    """

    key: str
    what: str
    advice: str
    level: Level = Level.WARNING
    drops: bool = False


NOT_JSON = Problem(
    "not-json", "that cannot be read as JSON", "each must be one whole JSON value", drops=True
)
NOT_UTF8 = Problem(
    "not-utf8", "with bytes that are not UTF-8", "save the whole file as UTF-8", drops=True
)
NOT_OBJECT = Problem(
    "not-object", "without a JSON object", 'write {"prompt": …, "completion": …}', drops=True
)
NO_TEXT = Problem(
    "no-text", "with a list or an object for a text", "write what the model is to read", drops=True
)
TOO_DEEP = Problem(
    "too-deep", "with values hundreds deep in each other", "no provider takes that", drops=True
)
LONG_ROW = Problem(
    "long-row",
    "with more cells than the header",
    "put quotation marks around text that holds the delimiter",
    drops=True,
)
SHORT_ROW = Problem(
    "short-row", "with fewer cells than the header", "what is missing counts as empty"
)
NO_PROMPT = Problem("no-prompt", "without a prompt", "it counts as empty")
TWICE = Problem("key-twice", "with a key twice", "its last value counts")
NOT_FINITE = Problem(
    "not-finite", "with NaN or Infinity, which is not JSON", "that counts as empty"
)
LOST = Problem("lost-character", "with a character that is damaged", "� stands in its place")
NUL = Problem("nul", "with NUL characters", "they are kept, but mostly come from a wrong encoding")
NUMBER = Problem(
    "number", "with a number, true or false for a text", "it is written as text", Level.NOTE
)


@dataclass(slots=True)
class Places:
    """Where a problem was seen: the first few lines, and how many there are."""

    count: int = 0
    lines: list[int] = field(default_factory=list)


class Problems:
    """The problems of one file."""

    def __init__(self) -> None:
        self._places: dict[Problem, Places] = {}

    def add(self, problem: Problem, line: int) -> None:
        """A line, counted from 1, has a problem."""
        places = self._places.setdefault(problem, Places())
        places.count += 1
        if len(places.lines) < MOST_LINES:
            places.lines.append(line)

    @property
    def dropped(self) -> int:
        """How many lines are left out."""
        return sum(places.count for problem, places in self._places.items() if problem.drops)

    def findings(self) -> list[Finding]:
        """One for each problem, in the order in which they were met."""
        return [finding(problem, places) for problem, places in self._places.items()]


def finding(problem: Problem, places: Places) -> Finding:
    """What is said about a problem."""
    lines = "1 line" if places.count == 1 else f"{places.count:,} lines"
    says = f"{lines} {problem.what} ({where(places)}): {problem.advice}."
    remedy = None
    if problem.drops:
        remedy = Remedy(f"drop-{problem.key}", f"Leave out {lines}", Weight.NECESSARY)
    return Finding(problem.key, problem.level, says, tuple(places.lines), places.count, remedy)


def where(places: Places) -> str:
    """ "line 3", "lines 3, 4 and 9", "lines 3, 4, 5, 6, 7 …"."""
    named = [str(line) for line in places.lines]
    if len(named) == 1:
        return f"line {named[0]}"
    if places.count > len(named):
        return f"lines {', '.join(named)} …"
    return f"lines {', '.join(named[:-1])} and {named[-1]}"
