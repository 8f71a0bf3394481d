"""How far a job is, read from what its service tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from bot.training import JobEvent

MOST_POINTS = 1000  # of a curve; a longer one is thinned, every second point goes
STEP = re.compile(r"step (\d+)(?:/(\d+))?\b", re.IGNORECASE)  # as a text begins
EPOCH = re.compile(r"\bepoch (\d+)/(\d+)", re.IGNORECASE)
QUEUE = re.compile(r"\bqueue number:? (\d+)", re.IGNORECASE)
COST = re.compile(r"\bcosts? \$(\d+(?:\.\d+)?)", re.IGNORECASE)
TRAINING = re.compile(r"\btraining loss[=:] ?(\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)
VALIDATION = re.compile(r"\bvalidation loss[=:] ?(\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """A count that the service told, and when, in its own Unix seconds."""

    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What the events so far say.

    Steps and epochs are 0 while none was told. `queue` is the place in the queue, None once it is
    left. Curves are (step, loss) pairs. `cost` is in US dollars, as the service told it.
    """

    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    queue: int | None = None
    cost: float | None = None
    training: tuple[tuple[int, float], ...] = ()
    validation: tuple[tuple[int, float], ...] = ()
    first_step: Mark | None = None
    last_step: Mark | None = None
    first_epoch: Mark | None = None
    last_epoch: Mark | None = None
    first_queue: Mark | None = None
    last_queue: Mark | None = None

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None while that is not known."""
        if self.steps:
            return min(self.step / self.steps, 1.0)
        return min(self.epoch / self.epochs, 1.0) if self.epochs else None

    def finish(self, estimated: float = 0.0) -> float:
        """When it will end, in Unix seconds: measured from steps, else from epochs, else as the
        service estimates it; 0 where nothing is known.
        """
        by_steps = reached(self.first_step, self.last_step, self.steps)
        return by_steps or reached(self.first_epoch, self.last_epoch, self.epochs) or estimated

    def start(self) -> float:
        """When its queue will have moved up, in Unix seconds, measured by how fast its number
        falls; 0 where that is not known.
        """
        return reached(self.first_queue, self.last_queue, 0) if self.queue is not None else 0.0


def reached(first: Mark | None, last: Mark | None, goal: int) -> float:
    """When a count that goes on as it did will be at its goal; 0 where nothing can be said."""
    if not first or not last or first.count == last.count or last.at <= first.at:
        return 0.0
    seconds = (last.at - first.at) / (last.count - first.count) * (goal - last.count)
    return last.at + seconds if seconds >= 0 else 0.0


def progress_of(events: Iterable[JobEvent]) -> Progress:
    """What events say, oldest first."""
    progress = Progress()
    for event in events:
        progress = after(progress, event)
    return progress


def after(progress: Progress, event: JobEvent) -> Progress:
    """What is known once another event is."""
    step, steps = counted(event, STEP, "step", "total_steps")
    epoch, epochs = counted(event, EPOCH, "epoch", "n_epochs")
    queue = first_number(QUEUE, event.text, int)
    cost = first_number(COST, event.text, float)
    if queue is not None:
        progress = queued(progress, queue, event.at)
    if cost is not None:
        progress = replace(progress, cost=cost)
    if step > progress.step:
        mark = Mark(step, event.at)
        progress = replace(
            progress,
            step=step,
            steps=steps or progress.steps,
            queue=None,
            first_step=progress.first_step or mark,
            last_step=mark,
        )
    if epoch > progress.epoch:
        mark = Mark(epoch, event.at)
        progress = replace(
            progress,
            epoch=epoch,
            epochs=epochs or progress.epochs,
            queue=None,
            first_epoch=progress.first_epoch or mark,
            last_epoch=mark,
        )
    return replace(
        progress,
        training=longer(progress.training, step, loss(event, TRAINING, "train_loss")),
        validation=longer(progress.validation, step, loss(event, VALIDATION, "valid_loss")),
    )


def queued(progress: Progress, number: int, at: float) -> Progress:
    """A place in the queue. Numbers skip and repeat; one that rises begins the measuring anew."""
    mark, last = Mark(number, at), progress.last_queue
    first = progress.first_queue if last and number <= last.count else mark
    return replace(progress, queue=number, first_queue=first, last_queue=mark)


def counted(event: JobEvent, pattern: re.Pattern[str], key: str, total: str) -> tuple[int, int]:
    """A count and what it goes to, 0 where it is not told: from the data, else from the text."""
    said = pattern.match(event.text) if pattern is STEP else pattern.search(event.text)
    groups = said.groups() if said else (None, None)
    return (
        whole(event.data.get(key)) or whole(groups[0]),
        whole(event.data.get(total)) or whole(groups[1]),
    )


def whole(value: Any) -> int:
    """A count, 0 for what is none: the keys of data are not documented."""
    number = finite(value)
    return int(number) if number and number > 0 else 0


def loss(event: JobEvent, pattern: re.Pattern[str], key: str) -> float | None:
    """A loss, from the data, else from the text."""
    told = finite(event.data.get(key))
    return told if told is not None else first_number(pattern, event.text, float)


def finite(value: Any) -> float | None:
    """A number that is one; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def first_number(pattern: re.Pattern[str], text: str, kind: Callable[[str], Any]) -> Any:
    """The number that a pattern finds, None where it finds none."""
    found = pattern.search(text)
    return kind(found[1]) if found else None


def longer(
    curve: tuple[tuple[int, float], ...], step: int, value: float | None
) -> tuple[tuple[int, float], ...]:
    """A curve with one more point."""
    if value is None or not step or (curve and curve[-1][0] >= step):
        return curve
    curve = (*curve, (step, value))
    return curve if len(curve) <= MOST_POINTS else (*curve[:-1:2], curve[-1])
