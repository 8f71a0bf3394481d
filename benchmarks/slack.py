"""What a Slack bot costs that keeps its promises, beside one that makes none.

    python -m benchmarks.slack [--quick]

Both bots have one core; Slack, its people and the model share the other. An answer has 60 tokens,
and every question begins a thread. The floor is `benchmarks.slack_floor`: nothing on disk, nothing
survives. Slack takes 20 streams a minute for all people together, so 20 of them rest for a minute
between their first answers and those that count.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.machine import heading, percentile, pin, table, target
from benchmarks.scene import Command, Scene
from benchmarks.slack_people import SlackFigures, play
from benchmarks.turns import GAP, model
from tests.adapters.slack import living

SCENES = (
    Scene("one person, limits on", 1, 15, limited=True, gap=GAP),
    Scene("20 people, limits on", 20, 60, limited=True, gap=GAP, rest=60.0),
    Scene("50 people, limits off, instant model", 50, 3000, limited=False, gap=0.0),
)
COLUMNS = (
    "People",
    "Bot",
    "Event to request, ms (p99)",
    "First token to seen, ms (p99)",
    "Envelope to acknowledgement, ms (p99)",
    "Whole answer, s",
    "Answers a second",
    "CPU an answer, ms",
    "Peak, MiB",
    "Refused calls",
    "Lost, double",
)


def floor(base_url: str, api_url: str) -> Sequence[str]:
    """The bot that makes no promise."""
    return [sys.executable, "-m", "benchmarks.slack_floor", api_url, base_url]


def tunebot(base_url: str, folder: Path, settings: str, api_url: str) -> Sequence[str]:
    """tunebot on a new database."""
    for old in folder.iterdir():
        old.unlink()
    return living.command(folder, api_url, base_url, log_level="WARNING", settings=settings)


def measure(scene: Scene, folder: Path) -> dict[str, SlackFigures]:
    """The figures of both bots."""
    settings = "" if scene.limited else "channel_rate = 0"
    with model(scene.gap) as base_url:
        commands: dict[str, Command] = {
            "floor": partial(floor, base_url),
            "tunebot": partial(tunebot, base_url, folder, settings),
        }
        return {name: asyncio.run(play(scene, command)) for name, command in commands.items()}


def times(found: Sequence[float]) -> str:
    """The median, and in brackets what 99 % of them are below."""
    return f"{median(found):.1f} ({percentile(found, 99):.1f})"


def line(scene: Scene, name: str, found: SlackFigures) -> list[str]:
    """The cells of a row."""
    return [
        scene.name,
        name,
        times(found.asked),
        times(found.shown),
        times(found.acknowledged),
        f"{median(found.whole) / 1000:.2f}",
        f"{found.answers_a_second:.1f}",
        f"{found.cpu:.1f}",
        f"{found.peak:.0f}",
        f"{found.refused} of {found.calls}",
        f"{found.lost}, {found.more}",
    ]


def targets(found: Sequence[dict[str, SlackFigures]]) -> list[str]:
    """What the issue asks for, and whether it is so."""
    one, twenty, fifty = (each["tunebot"] for each in found)
    least = found[2]["floor"]
    cpu, rate = fifty.cpu / least.cpu, least.answers_a_second / fifty.answers_a_second
    asked = median(one.asked)
    seen = max(median(one.shown), median(twenty.shown))
    refused = twenty.refused / twenty.calls
    unanswered = sum(each["tunebot"].lost + each["tunebot"].more for each in found)
    return [
        target("event to request under 8 ms (median)", f"{asked:.1f} ms", met=asked < 8),
        target("first text seen within 50 ms of the first token", f"{seen:.1f} ms", met=seen < 50),
        target("CPU within 1.5 times of the floor", f"{cpu:.2f}", met=cpu <= 1.5),
        target("throughput within 1.5 times of the floor", f"{rate:.2f}", met=rate <= 1.5),
        target("under 2 % of calls refused", f"{refused:.1%}", met=refused < 0.02),
        target("all answered, each once", f"{unanswered} not", met=not unanswered),
    ]


def main() -> None:
    """Print the table and the targets."""
    quick = "--quick" in sys.argv[1:]
    title = heading("benchmarks.slack", sys.argv[1:])
    pin(1)
    found = []
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        for scene in SCENES:
            answers = scene.answers // (5 if quick else 1)
            found.append(measure(replace(scene, answers=answers), Path(folder)))
            print(".", end="", file=sys.stderr, flush=True)
    print(f"\n\n{title}\n")
    lines = [
        line(scene, name, figures)
        for scene, bots in zip(SCENES, found, strict=True)
        for name, figures in bots.items()
    ]
    print(table(COLUMNS, lines))
    print("", *targets(found), sep="\n")


if __name__ == "__main__":
    main()
