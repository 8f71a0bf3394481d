"""tunebot on a platform, beside the least bot that streams there: the scenes, table and targets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import heading, percentile, pin, table, target
from benchmarks.scene import Command, Figures, Scene
from benchmarks.turns import model
from tests.adapters import living

ACKNOWLEDGED = "Envelope to acknowledgement, ms (p99)"  # a column where the platform waits for one
Both = Mapping[str, Figures]  # of "floor" and "tunebot"


@dataclass(frozen=True)
class Comparison:
    """What is a platform's own.

    `message` is the platform's word for what people send; `play` lets them do it. `unlimited` are
    the settings of [adapters.PLATFORM] that let tunebot write at any speed. The floor is the module
    benchmarks.PLATFORM_floor. The scenes are one person and 20 with limits, and many without.
    """

    platform: str
    message: str
    scenes: Sequence[Scene]
    unlimited: str
    play: Callable[[Scene, Command], Coroutine[Any, Any, Figures]]

    def main(self) -> None:
        """Print the table and the targets."""
        quick = "--quick" in sys.argv[1:]
        title = heading(f"benchmarks.{self.platform}", sys.argv[1:])
        pin(1)
        found = []
        with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
            for scene in self.scenes:
                answers = scene.answers // (5 if quick else 1)
                found.append(self._measure(replace(scene, answers=answers), Path(folder)))
                print(".", end="", file=sys.stderr, flush=True)
        print(f"\n\n{title}\n")
        lines = [
            self._line(scene, bot, figures)
            for scene, both in zip(self.scenes, found, strict=True)
            for bot, figures in both.items()
        ]
        print(table(list(lines[0]), [list(line.values()) for line in lines]))
        print("", *self._targets(found), sep="\n")

    def _measure(self, scene: Scene, folder: Path) -> Both:
        """The figures of both bots."""
        settings = "" if scene.limited else self.unlimited
        with model(scene.gap) as base_url:
            commands: Mapping[str, Command] = {
                "floor": partial(self._floor, base_url),
                "tunebot": partial(self._tunebot, base_url, folder, settings),
            }
            return {
                bot: asyncio.run(self.play(scene, command)) for bot, command in commands.items()
            }

    def _floor(self, base_url: str, api_url: str) -> Sequence[str]:
        """The bot that makes no promise."""
        return [sys.executable, "-m", f"benchmarks.{self.platform}_floor", api_url, base_url]

    def _tunebot(self, base_url: str, folder: Path, settings: str, api_url: str) -> Sequence[str]:
        """tunebot on a new database."""
        for old in folder.iterdir():
            old.unlink()
        return living.command(
            folder, self.platform, api_url, base_url, log_level="WARNING", settings=settings
        )

    def _line(self, scene: Scene, bot: str, found: Figures) -> Mapping[str, str]:
        """The cells of a row, by their columns."""
        acknowledged = found.acknowledged
        return {
            "People": scene.name,
            "Bot": bot,
            f"{self.message} to request, ms (p99)": times(found.asked),
            "First token to seen, ms (p99)": times(found.shown),
            **({ACKNOWLEDGED: times(acknowledged)} if acknowledged else {}),
            "Whole answer, s": f"{median(found.whole) / 1000:.2f}",
            "Answers a second": f"{found.answers_a_second:.1f}",
            "CPU an answer, ms": f"{found.cpu:.1f}",
            "Peak, MiB": f"{found.peak:.0f}",
            "Refused calls": f"{found.refused} of {found.calls}",
            "Lost, double": f"{found.lost}, {found.more}",
        }

    def _targets(self, found: Sequence[Both]) -> Sequence[str]:
        """What the issue asks for, and whether it is so."""
        one, twenty, fifty = (each["tunebot"] for each in found)
        least = found[2]["floor"]
        cpu, rate = fifty.cpu / least.cpu, least.answers_a_second / fifty.answers_a_second
        asked = median(one.asked)
        seen = max(median(one.shown), median(twenty.shown))
        refused = twenty.refused / twenty.calls
        unanswered = sum(each["tunebot"].lost + each["tunebot"].more for each in found)
        first = "first text seen within 50 ms of the first token"
        return [
            target(
                f"{self.message.lower()} to request under 8 ms (median)",
                f"{asked:.1f} ms",
                met=asked < 8,
            ),
            target(first, f"{seen:.1f} ms", met=seen < 50),
            target("CPU within 1.5 times of the floor", f"{cpu:.2f}", met=cpu <= 1.5),
            target("throughput within 1.5 times of the floor", f"{rate:.2f}", met=rate <= 1.5),
            target("under 2 % of calls refused", f"{refused:.1%}", met=refused < 0.02),
            target("all answered, each once", f"{unanswered} not", met=not unanswered),
        ]


def times(found: Sequence[float]) -> str:
    """The median, and in brackets what 99 % of them are below."""
    return f"{median(found):.1f} ({percentile(found, 99):.1f})"
