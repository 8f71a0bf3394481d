"""How a training goes: what it says, what is looked at, and when it is saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback

from bot.local.training import events
from bot.local.training.events import Tell
from bot.local.training.learning import Measured
from bot.local.training.pace import READING, Left, Pace
from bot.local.training.rows import Example
from bot.local.training.state import State
from bot.local.training.validation import OFTEN, finite, named
from bot.local.trl.kept import Kept
from bot.local.trl.learning import dataset
from bot.local.trl.saved import Saved

SAVE = 60.0  # seconds between two savings within an epoch
KEPT = 3  # checkpoints, as OpenAI keeps


class Validation:
    """A validation file, which may be empty: a batch of it at every tenth step, in turn, and all of
    it at the end of an epoch.
    """

    def __init__(self, examples: Sequence[Example], batch_size: int, per_epoch: int) -> None:
        self._data = dataset(examples) if examples else None
        self._count = len(examples)
        self._batch_size = min(batch_size, self._count)
        self._per_epoch = per_epoch

    def after(self, step: int, trainer: Trainer) -> dict[str, float]:
        """What is measured after a step, as in its metrics; nothing after most."""
        rows = self.rows(step)
        if not rows or self._data is None:
            return {}
        found = trainer.evaluate(self._data.select(rows))
        trainer.model.train()  # trl tells the two kinds of measurements apart by it
        measured = finite(Measured(found["eval_loss"], found["eval_mean_token_accuracy"]), step)
        said = named("valid", measured)
        return said | named("full_valid", measured) if step % self._per_epoch == 0 else said

    def rows(self, step: int) -> list[int]:
        if step % self._per_epoch == 0:
            return list(range(self._count))
        if step % OFTEN == 0 and self._count:
            first = step // OFTEN * self._batch_size
            return [row % self._count for row in range(first, first + self._batch_size)]
        return []


class Course(TrainerCallback):
    """Follows a trainer, step by step."""

    def __init__(
        self,
        trainer: Trainer,
        validation: Validation,
        state: State,
        *,
        steps: int,
        per_epoch: int,
        batch_size: int,
        output: Path,
        kept: Kept,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._trainer, self._validation, self._state = trainer, validation, state
        self._steps, self._per_epoch, self._batch_size = steps, per_epoch, batch_size
        self._output, self._kept, self._tell = output, kept, tell
        self._saves = Saved(output)
        self._validated: dict[str, float] = {}
        self._clock, self._saved = clock, clock()
        self._pace = Pace(self._left(), state.speeds, clock)

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """The model is where it computes: the first step begins."""
        self._pace = Pace(self._left(), self._state.speeds, self._clock)

    def on_step_end(self, _: Any, state: Any, control: Any, **__: Any) -> Any:
        """Look at the validation file, and decide whether to save."""
        step = state.global_step
        self._validated = self._validation.after(step, self._trainer)
        ends_epoch = step % self._per_epoch == 0
        control.should_log = True  # validation has logged, after which it is asked for no more
        control.should_save = ends_epoch or self._clock() - self._saved > SAVE
        return control

    def on_log(self, _: Any, state: Any, __: Any, logs: dict[str, float], **___: Any) -> None:
        """Say how a step went. Validation logs too, and so does the end of all."""
        if "loss" not in logs:
            return
        step = state.global_step
        measured = finite(Measured(logs["loss"], logs["mean_token_accuracy"]), step)
        data = {
            "step": step,
            "total_steps": self._steps,
            "epoch": -(-step // self._per_epoch),
            "learning_rate": logs["learning_rate"],
            **named("train", measured),
            **self._validated,
            "eta": self._pace.stepped(self._effort(step)),
        }
        self._state.step, self._state.speeds = step, self._pace.speeds
        self._state.history.append(data)
        self._tell(events.metrics(data))

    def on_save(self, *_: Any, **__: Any) -> None:
        """At the end of an epoch leave an adapter; then count what transformers has saved."""
        state = self._state
        if state.step % self._per_epoch:
            self._saves.keep(state)
        else:
            adapter = self._adapter(state.step)
            self._kept.write(self._saves.folder(state.step), adapter)
            self._saves.keep(state)
            remove(self._adapter(state.step - KEPT * self._per_epoch))
            self._tell(events.checkpoint(state.history[-1], adapter))
            self._pace.checked_in()
        self._saved = self._clock()

    def _adapter(self, step: int) -> Path:
        return self._kept.path(self._output, step)

    def _effort(self, step: int) -> float:
        """What a step costs, in examples."""
        return self._batch_size + READING * len(self._validation.rows(step))

    def _left(self) -> Left:
        steps = range(self._state.step + 1, self._steps + 1)
        epochs = len([step for step in steps if step % self._per_epoch == 0])
        return Left(len(steps), sum(map(self._effort, steps)), epochs)


def remove(adapter: Path) -> None:
    """Delete an adapter in any form, or nothing."""
    if adapter.is_dir():
        shutil.rmtree(adapter)
    else:
        adapter.unlink(missing_ok=True)
