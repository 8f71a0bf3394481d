"""What happens to a job by itself as time goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.tuning_server.jobs import Job, Move

Moved = tuple[float, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Story:
    """A job's life. Times are in seconds: `reading` until its files are read, `waiting` between two
    places of `queue`, which skip and repeat, `pace` a step. It stops after `until` steps, 0 for all
    of them, and ends as `ending` says: "succeeded", "failed", "cancelled", or "" for not at all.
    With a `line` its file is found to be wrong there.
    """

    steps: int = 303
    epochs: int = 3
    queue: tuple[int, ...] = (31, 30, 27, 27, 12, 1)
    reading: float = 30.0
    waiting: float = 60.0
    pace: float = 2.0
    ending: str = "succeeded"
    reason: str = ""
    line: int = 0
    until: int = 0
    cost: float = 0.03

    def begin(self, job: Job) -> None:
        """This is what happens to the job from now on."""
        start = job.server.now()
        job.moves.extend(Move(start + after, happens) for after, happens in self._moves(job))

    def _moves(self, job: Job) -> Iterator[Moved]:
        time = self.reading
        if self.line:
            yield time, partial(job.fails, self.reason, self.line)
            return
        if job.legacy:
            yield time, partial(job.tell, f"Fine-tune costs ${self.cost:.2f}")
        for number in self.queue or (None,):
            yield time, partial(job.queues, number)
            time += self.waiting
        yield time, job.runs
        for step in range(1, (self.until or self.steps) + 1):
            time += self.pace
            yield from ((time, move) for move in self._step(job, step))
        if self.ending == "succeeded":
            yield time, job.succeeds
        elif self.ending == "cancelled":
            yield time, job.cancels
        elif self.ending:
            yield time, partial(job.fails, self.reason or "The job failed.")

    def _step(self, job: Job, step: int) -> Iterator[Callable[[], None]]:
        loss = round(2.0 * 0.99**step, 4)
        held_out = round(loss * 1.1, 4) if step % 10 == 0 or step == self.steps else None
        yield partial(job.step, step, self.steps, loss, held_out)
        epoch = step * self.epochs // self.steps
        if epoch > (step - 1) * self.epochs // self.steps:
            yield partial(job.epoch, epoch, self.epochs)
            if not job.legacy and epoch < self.epochs:
                yield partial(job.checkpoint, step, loss)
