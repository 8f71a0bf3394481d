"""A training from its spec to its adapter."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from bot.local.training import events, results
from bot.local.training import state as states
from bot.local.training.adamw import AdamW, rate_at
from bot.local.training.adapter import Adapter
from bot.local.training.automatic import Chosen, chosen, steps_per_epoch
from bot.local.training.base import load
from bot.local.training.batches import batch
from bot.local.training.data import read
from bot.local.training.events import Tell
from bot.local.training.fault import TrainingFault
from bot.local.training.learning import Examples
from bot.local.training.model import Llama
from bot.local.training.pace import Left, Pace
from bot.local.training.rows import Tokenizer
from bot.local.training.spec import Spec
from bot.local.training.tokenizer import llama_tokenizer
from bot.local.training.validation import Validation, finite, named

SAVE = 60.0  # seconds between two savings of the state within an epoch
PATIENCE = 30.0  # seconds for the last process that trained here to end
KEPT = 3  # checkpoints, as OpenAI keeps

Clock = Callable[[], float]
OpenTokenizer = Callable[[Path, int], AbstractContextManager[Tokenizer]]


def train(
    spec: Spec,
    tell: Tell,
    open_tokenizer: OpenTokenizer = llama_tokenizer,
    clock: Clock = time.monotonic,
) -> None:
    """Train as the spec says, from its last saved state where there is one.

    What `tell` hears is in `bot.local.training.events`. Raises TrainingFault and what the system
    raises; see `bot.local.training.fault.fault_of`.
    """
    spec.output.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(spec.output / ".lock", timeout=PATIENCE):
            prepare(spec, tell, open_tokenizer, clock).run()
    except Timeout:
        raise TrainingFault("busy", f"Another process trains in {spec.output}.") from None


def prepare(spec: Spec, tell: Tell, open_tokenizer: OpenTokenizer, clock: Clock) -> Training:
    """Read the model and the data."""
    base = load(spec.model)
    longest = min(spec.longest, base.shape.context)
    with open_tokenizer(spec.model, base.shape.end) as tokenizer:

        def examples(file: Path | None) -> Examples:
            if file is None:
                return Examples([])
            data = read(file, spec.kind, tokenizer, longest)
            for warning in data.warnings(file.name, longest):
                tell(events.warning(warning))
            return Examples(data.examples)

        training, validation = examples(spec.training_file), examples(spec.validation_file)
    adapter = Adapter(base.shape, spec.rank, spec.seed)
    model = Llama(base, adapter)
    hyperparameters = chosen(spec, len(training), training.answers)
    if spec.kind == "preference":
        training.prefer(model, hyperparameters.beta)
        validation.prefer(model, hyperparameters.beta)
    return Training(
        spec=spec,
        chosen=hyperparameters,
        model=model,
        adapter=adapter,
        training=training,
        validation=validation,
        tell=tell,
        clock=clock,
    )


class Training:
    """A training that has read everything. It is run once."""

    def __init__(
        self,
        *,
        spec: Spec,
        chosen: Chosen,
        model: Llama,
        adapter: Adapter,
        training: Examples,
        validation: Examples,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._spec, self._chosen, self._training = spec, chosen, training
        self._model, self._adapter = model, adapter
        self._optimizer = AdamW(adapter.values)
        self._per_epoch = steps_per_epoch(len(training), chosen.batch_size)
        self._total = chosen.epochs * self._per_epoch
        self._validation = Validation(validation, chosen.batch_size, self._per_epoch)
        self._arrays = {
            "values": adapter.values,
            "first": self._optimizer.first,
            "second": self._optimizer.second,
        }
        self._state_file = spec.output / "state.npz"
        identity = identity_of(spec, chosen, training, validation)
        found = states.restore(self._state_file, identity, self._arrays)
        self._anew = found is None and self._state_file.exists()
        self._state = found or states.State(identity)
        self._pace = Pace(self._left(), self._state.speeds, clock)
        self._tell, self._clock, self._saved = tell, clock, clock()

    def run(self) -> None:
        """Take the steps that are left."""
        state, spec = self._state, self._spec
        tokens = self._chosen.epochs * self._training.tokens
        if self._anew:
            self._tell(events.anew())
        self._tell(events.hyperparameters(self._chosen, self._total, tokens, spec.kind))
        for told in events.told_before(state.history, self._per_epoch, self._adapter_file):
            self._tell(told)
        if state.step:
            self._tell(events.resumed(state.step))
        while state.step < self._total:
            self._step(state.step + 1)
            if state.step % self._per_epoch == 0:
                self._check_in()
            elif self._clock() - self._saved > SAVE:
                self._save()
        table = spec.output / "results.csv"
        results.write(table, state.history)
        self._tell(events.done(state.step, self._adapter_file(state.step), table, tokens))

    def _step(self, step: int) -> None:
        """Learn from a batch, and say how it went."""
        chosen, adapter = self._chosen, self._adapter
        examples = self._batch(step)
        rate = rate_at(step, self._total, chosen.learning_rate)
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is no number is a fault
            measured = finite(self._training.measure(self._model, examples, learning=True), step)
            self._optimizer.step(step, rate, adapter.values, adapter.gradient)
            data: dict[str, Any] = {
                "step": step,
                "total_steps": self._total,
                "epoch": -(-step // self._per_epoch),
                "learning_rate": rate,
                **named("train", measured),
                **self._validation.after(step, self._model),
            }
        data["eta"] = self._pace.stepped(self._effort(step))
        self._state.step, self._state.speeds = step, self._pace.speeds
        self._state.history.append(data)
        self._tell(events.metrics(data))

    def _check_in(self) -> None:
        """Leave an adapter and then the state that belongs to it; older adapters go."""
        step = self._state.step
        self._adapter.save(self._adapter_file(step))
        self._save()
        self._adapter_file(step - KEPT * self._per_epoch).unlink(missing_ok=True)
        self._tell(events.checkpoint(self._state.history[-1], self._adapter_file(step)))
        self._pace.checked_in()

    def _save(self) -> None:
        states.save(self._state_file, self._state, self._arrays)
        self._saved = self._clock()

    def _adapter_file(self, step: int) -> Path:
        return self._spec.output / f"adapter-{step}.gguf"

    def _batch(self, step: int) -> list[int]:
        return batch(step, len(self._training), self._chosen.batch_size, self._spec.seed)

    def _effort(self, step: int) -> float:
        """What a step costs, and the validation after it."""
        return self._training.effort(self._batch(step)) + self._validation.effort(step)

    def _left(self) -> Left:
        steps = range(self._state.step + 1, self._total + 1)
        epochs = self._chosen.epochs - self._state.step // self._per_epoch
        return Left(len(steps), sum(map(self._effort, steps)), epochs)


def identity_of(spec: Spec, chosen: Chosen, training: Examples, validation: Examples) -> str:
    """What makes an adapter the one that it is; files may move and threads may change."""
    told = chosen, spec.kind, spec.seed, spec.rank, spec.model.stat().st_size
    seen = hashlib.sha256(f"{told}".encode())
    for examples in training, validation:
        examples.identify(seen.update)
    return seen.hexdigest()
