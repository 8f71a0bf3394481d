"""How long a turn takes, how many there are in a second, and what each costs.

    python -m benchmarks.turns [--quick]

The bot has one core and a model the other; nothing waits for a platform. An answer has 60 tokens,
an event each, and comes at once, but for the rows that say otherwise.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.bot import QUESTION, Figures, Plan
from benchmarks.machine import heading, percentile, table, target
from bot.store.file import connect

TOKENS = 60
GAP = 0.02  # seconds between tokens where an answer is streamed
FEW, MANY = 10, 100_000
ROUNDS = 3  # of the rows that are compared, by turns: the machine's other work hits each alike
OTHERS = 1000  # conversations that nobody measures
ANSWER = "Water deeply in the early morning, and mulch around every plant to keep it there. " * 4
STEADY = 100.0  # messages a second
COLUMNS = (
    "Conversations",
    "Stored turns",
    "Message to request, ms (p99)",
    "First token to shown, ms (p99)",
    "Answers a second",
    "CPU an answer, ms",
    "Resident, MiB (peak)",
)


@dataclass(frozen=True)
class Row:
    """A line of the table: `turns` says which conversation has how many stored turns."""

    stored: str
    conversations: int
    turns: dict[str, int]
    gap: float = 0.0


def spread(turns: int, conversations: int, name: str = "c") -> dict[str, int]:
    """So many turns, in pairs, over so many conversations."""
    share = max(2, turns // conversations)
    return {f"{name}{number}": share for number in range(min(conversations, turns // share))}


ROWS = (
    Row(f"{FEW}", 1, {"c0": FEW}),
    Row(f"{MANY:,}, {FEW} of them its own", 1, {"c0": FEW, **spread(MANY - FEW, OTHERS, "o")}),
    Row(f"{MANY:,}, all its own", 1, {"c0": MANY}),
    Row(f"{FEW}", 50, spread(FEW, 50)),
    Row(f"{MANY:,}", 50, spread(MANY, 50)),
    Row(f"{FEW}", 500, spread(FEW, 500)),
    Row(f"{MANY:,}", 500, spread(MANY, 500)),
    Row(f"{FEW}; a token every {GAP * 1000:.0f} ms", 50, spread(FEW, 50), GAP),
)


def measure(row: Row, base_url: str, folder: Path, *, quick: bool) -> Figures:
    """Run a bot on a new database and return what it found."""
    database = folder / f"{time.monotonic_ns()}.db"
    last = seed(database, row.turns)
    one = row.conversations == 1
    answers = 200 if one else 2000 if not row.gap else 500
    plan = Plan(
        str(database),
        base_url,
        row.conversations,
        messages=(300 if one else 1000 if not row.gap else 200) // (5 if quick else 1),
        answers=answers // (4 if quick else 1),
        rate=0.0 if one else STEADY if not row.gap else STEADY / 5,
        keep=last if one else None,
    )
    log = folder / "log"
    with log.open("w+") as errors:
        command = [sys.executable, "-m", "benchmarks.bot", json.dumps(asdict(plan))]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, check=False)
        if done.returncode:
            errors.seek(0)
            sys.exit(f"The bot failed:\n{errors.read()[-4000:]}")
    return Figures(**json.loads(done.stdout))


def seed(database: Path, turns: dict[str, int]) -> int:
    """Store questions and answers, the conversations' mixed as time mixes them; the last row."""
    with closing(connect(database, 5.0)) as db:
        db.execute("BEGIN")
        rows = {}
        for channel in turns:
            new = db.execute(
                "INSERT INTO conversations (adapter, channel, thread) VALUES ('null', ?, '')",
                [channel],
            )
            rows[channel] = new.lastrowid
        db.conn.executemany(
            "INSERT INTO turns (conversation, role, person, text, at, ending, handles) "
            "VALUES (?, ?, ?, ?, ?, 'whole', ?)",
            [
                (rows[channel], role, f"null:{channel}", text, time.time(), '["1"]')
                for channel, role, text in said(turns)
            ],
        )
        last = db.execute("SELECT max(id) FROM turns").fetchone()[0]
        db.execute("COMMIT")
    return int(last)


def said(turns: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    """Channel, role and text of each turn: every conversation in its turn says the next two."""
    left = Counter(turns)
    while left:
        for channel in list(left):
            yield channel, "user", QUESTION
            yield channel, "assistant", ANSWER
            left[channel] -= 2
            if left[channel] <= 0:
                del left[channel]


@contextmanager
def model(gap: float) -> Iterator[str]:
    """A model server in a process of its own; its base URL."""
    command = [sys.executable, "-m", "benchmarks.model", "--tokens", str(TOKENS)]
    with subprocess.Popen([*command, "--gap", str(gap)], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout
        try:
            yield one.stdout.readline().strip()
        finally:
            one.terminate()


def line(row: Row, found: Figures) -> list[str]:
    """The cells of a row."""
    return [
        f"{row.conversations}",
        row.stored,
        f"{median(found.asked):.1f} ({percentile(found.asked, 99):.1f})",
        f"{median(found.shown):.1f} ({percentile(found.shown, 99):.1f})",
        f"{found.answers_a_second:.0f}",
        f"{found.cpu:.2f}",
        f"{found.resident:.0f} ({found.peak:.0f})",
    ]


def merged(rounds: Sequence[Figures]) -> Figures:
    """The figures of several rounds as one."""
    return Figures(
        [ms for one in rounds for ms in one.asked],
        [ms for one in rounds for ms in one.shown],
        median(one.answers_a_second for one in rounds),
        median(one.cpu for one in rounds),
        median(one.idle for one in rounds),
        median(one.resident for one in rounds),
        max(one.peak for one in rounds),
    )


def slower(many: Sequence[Figures], few: Sequence[Figures]) -> float:
    """How many times the median of `few` that of `many` is; the middle round's."""
    pairs = zip(many, few, strict=True)
    return median(median(one.asked) / median(other.asked) for one, other in pairs)


def targets(rounds: Sequence[Sequence[Figures]]) -> list[str]:
    """What the issue asks for, and whether it is so."""
    one, fifty = merged(rounds[0]), merged(rounds[3])
    middle, late = median(one.asked), percentile(one.asked, 99)
    others, own = (slower(many, rounds[0]) for many in rounds[1:3])
    most = max(each.peak for row in rounds for each in row)
    rate = fifty.answers_a_second
    return [
        target("message to request under 5 ms (median)", f"{middle:.2f} ms", met=middle < 5),
        target("message to request under 20 ms (p99)", f"{late:.2f} ms", met=late < 20),
        target(
            f"at most 1.2 times that with {MANY:,} stored turns",
            f"{others:.2f} with them elsewhere, {own:.2f} with all its own",
            met=max(others, own) <= 1.2,
        ),
        target("300 answers a second on one core", f"{rate:.0f}", met=rate >= 300),
        target("under 80 MiB resident", f"{most:.0f} MiB at most", met=most < 80),
    ]


def main() -> None:
    """Print the table and the targets."""
    quick = "--quick" in sys.argv[1:]
    found: list[list[Figures]] = [[] for _ in ROWS]
    title = heading("benchmarks.turns", sys.argv[1:])
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        for number in [*[0, 1, 2] * ROUNDS, *range(3, len(ROWS))]:
            row = ROWS[number]
            with model(row.gap) as base_url:
                found[number].append(measure(row, base_url, Path(folder), quick=quick))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"\n{title}\n")
    lines = [line(row, merged(each)) for row, each in zip(ROWS, found, strict=True)]
    print(table(COLUMNS, lines))
    print("", *targets(found), sep="\n")


if __name__ == "__main__":
    main()
