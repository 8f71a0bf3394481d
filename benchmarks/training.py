"""Fine-tuning on this machine: speed, memory and what is learned, beside torch + peft.

    python -m benchmarks.training [--rows 10,50,500,5000] [--seconds 200] [--whole 500]
        [--torch 120] [--facts] [--quick]

The rows are those of ../shared/data/bitext where that is, else, and with --facts, made up. Both
trainers learn the same rows in the same batches at the same rates, one after the other, each in a
process of its own with one thread, at low priority. Up to --whole rows the training is whole. Else
what would take longer than about --seconds is shortened, to fewer epochs or to the first rows, read
once; torch ends after --torch seconds, wherever it is. The whole time is then reckoned from the
tokens a second. The answers are llama.cpp's at temperature 0. torch is looked for in .venv/torch.
"""

from __future__ import annotations

import math
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import faq
from benchmarks.machine import heading, table, target
from bot.local.training.process import THREADS

if TYPE_CHECKING:
    from benchmarks.training_runs import Course, Run

HELD = 40  # rows, for the held-out loss
ASKED = 20  # of them are asked for the whole answer,
LEARNED = 50  # and of the learned ones
SLOW = 60.0  # tokens a second, before any were measured
WHOLE = 500  # rows, up to which nothing is left out
COLUMNS = (
    *("Rows", "Trainer", "Epochs", "Batch", "Steps", "Tokens a second", "Peak, MiB", "Last loss"),
    *("Held-out loss", "Held-out token accuracy", "Learned answers", "Held-out answers"),
    "Whole training, min",
)


def line(rows: int, trainer: str, of: Course, run: Run, answers: Sequence[str]) -> Sequence[str]:
    """A line of the table."""
    is_whole = run.steps == of.of_steps
    steps = f"{run.steps:,}" if is_whole else f"{run.steps:,} of {of.of_steps:,}"
    minutes = of.of_tokens / run.speed / 60
    return [
        f"{rows:,}",
        trainer,
        f"{of.chosen.epochs}",
        f"{of.chosen.batch_size}",
        steps,
        f"{run.speed:.0f}",
        f"{run.memory:,.0f}",
        f"{run.loss:.3f}",
        f"{run.held.loss:.2f}",
        f"{run.held.accuracy:.0%}",
        *answers,
        f"{minutes:.1f}" if is_whole else f"about {minutes:.0f}",
    ]


def options() -> Namespace:
    """What the command line says."""
    parser = ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--rows", default="10,50,500,5000", help="how many, separated by commas")
    parser.add_argument(
        "--seconds", default=200.0, type=float, help="about the longest, over --whole rows"
    )
    parser.add_argument("--torch", default=120.0, type=float, help="the longest of torch")
    parser.add_argument("--whole", default=WHOLE, type=int, help="rows, up to which it is whole")
    parser.add_argument("--facts", action="store_true", help="made-up rows, also where the file is")
    parser.add_argument("--quick", action="store_true", help="10 and 500 rows, half a minute each")
    said = parser.parse_args()
    if said.quick:
        said.rows, said.seconds, said.whole = "10,500", 30.0, 0
    return said


def main() -> None:
    """Measure, and print the table."""
    title, said = heading("benchmarks.training", sys.argv[1:]), options()
    data = faq.support if faq.BITEXT.exists() and not said.facts else faq.facts
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read when numpy is imported, here as there
    from benchmarks.training_runs import (  # noqa: PLC0415 - it imports numpy
        by_torch,
        by_tunebot,
        course,
        exact,
        measured,
        model_file,
    )

    model, speed = model_file(), SLOW
    lines, targets, before = [], [], None
    for count in map(int, said.rows.split(",")):
        with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
            questions = data(count, HELD)
            most = math.inf if count <= said.whole else said.seconds * speed
            planned = course(questions, model, Path(folder), most)
            before = before or measured(planned)
            ours = by_tunebot(planned)
            learned = questions.learned[: len(planned.examples)]
            answers = [
                exact(planned, learned[:LEARNED]),
                exact(planned, questions.held[:ASKED]),
            ]
            lines.append(line(count, "tunebot", planned, ours, answers))
            if theirs := by_torch(planned, said.torch):
                lines.append(line(count, "torch + peft", planned, theirs, ("", "")))
                faster, part = ours.speed / theirs.speed, ours.memory / theirs.memory
                found = f"{faster:.2f} times its tokens a second, {part:.2f} of its memory"
                goal = f"no slower and no larger than torch + peft, {count:,} rows"
                targets.append(target(goal, found, met=faster >= 1 and part <= 1))
            speed = ours.speed
            print(
                table(COLUMNS, lines), file=sys.stderr, flush=True
            )  # it is a long way to the last
    print(f"\n{title}\n")
    print(table(COLUMNS, lines))
    print()
    if before:
        print(f"- The rows are {questions.name}.")
        print(f"- Untrained: held-out loss {before.loss:.2f}, token accuracy {before.accuracy:.0%}")
    print("\n".join(targets))


if __name__ == "__main__":
    main()
