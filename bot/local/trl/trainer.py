"""A training from its spec to its adapter."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from peft import get_peft_model_state_dict
from transformers import set_seed

from bot.local.training import events, results
from bot.local.training.automatic import Chosen, chosen, steps_per_epoch
from bot.local.training.data import read
from bot.local.training.events import Tell
from bot.local.training.fault import TrainingFault
from bot.local.training.rows import Example, answers
from bot.local.training.spec import Spec
from bot.local.training.state import State
from bot.local.training.trainer import PATIENCE
from bot.local.trl import model as folders
from bot.local.trl.course import Course, Validation
from bot.local.trl.kept import Folders, Gguf, Kept
from bot.local.trl.learning import trainer_of
from bot.local.trl.saved import Saved
from bot.local.trl.tokenizer import FolderTokenizer


def train(
    spec: Spec, tell: Tell, beside: Path | None, clock: Callable[[], float] = time.monotonic
) -> None:
    """Train as the spec says, from the last checkpoint where there is one.

    The adapter is for llama.cpp `beside` a GGUF file, or stays as PEFT saves it. What `tell` hears
    is in `bot.local.training.events`. Raises TrainingFault and whatever torch raises; see
    `bot.local.trl.fault.fault_of`.
    """
    spec.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(spec.threads)
    try:
        with FileLock(spec.output / ".lock", timeout=PATIENCE):
            learn(spec, tell, beside, clock)
    except Timeout:
        raise TrainingFault("busy", f"Another process trains in {spec.output}.") from None


def learn(spec: Spec, tell: Tell, beside: Path | None, clock: Callable[[], float]) -> None:
    model = folders.load(spec.model)
    kept: Kept = Gguf(beside, model.config, 2 * spec.rank) if beside else Folders()
    tokenizer = FolderTokenizer(model.tokenizer)
    longest = folders.longest(model.config, spec.longest)

    def examples(file: Path | None) -> list[Example]:
        if file is None:
            return []
        data = read(file, spec.kind, tokenizer, longest)
        for warning in data.warnings(file.name, longest):
            tell(events.warning(warning))
        return data.examples

    training, validation = examples(spec.training_file), examples(spec.validation_file)
    parameters = chosen(spec, len(training), answers(training))
    batch_size = parameters.batch_size
    per_epoch = steps_per_epoch(len(training), batch_size)
    steps = parameters.epochs * per_epoch
    tokens = parameters.epochs * sum(example.length for example in training)
    saved = Saved(spec.output)
    identity = identity_of(spec, parameters, training, validation)
    found = saved.last(identity)
    state = found or State(identity)
    set_seed(spec.seed)
    trainer = trainer_of(spec, parameters, model, training, str(saved.path))
    factors = get_peft_model_state_dict(trainer.model)
    kept.check({key: each.detach().cpu().float().numpy() for key, each in factors.items()})
    if saved.has_any and not found:
        tell(events.anew())
    tell(events.hyperparameters(parameters, steps, tokens, spec.kind))
    for told in events.told_before(
        state.history, per_epoch, lambda step: kept.path(spec.output, step)
    ):
        tell(told)
    if state.step:
        tell(events.resumed(state.step))
    if state.step < steps:
        course = Course(
            trainer,
            Validation(validation, batch_size, per_epoch),
            state,
            steps=steps,
            per_epoch=per_epoch,
            batch_size=batch_size,
            output=spec.output,
            kept=kept,
            tell=tell,
            clock=clock,
        )
        trainer.add_callback(course)
        before = str(saved.folder(state.step)) if state.step else None
        trainer.train(resume_from_checkpoint=before)
    table = spec.output / "results.csv"
    results.write(table, state.history)
    tell(events.done(steps, kept.path(spec.output, steps), table, tokens))


def identity_of(spec: Spec, chosen: Chosen, *files: Sequence[Example]) -> str:
    """What makes an adapter the one that it is; files may move and threads may change."""
    sizes = sorted((file.name, file.stat().st_size) for file in spec.model.glob("*.safetensors"))
    seen = hashlib.sha256(f"{chosen, spec.kind, spec.seed, spec.rank, sizes}".encode())
    for examples in files:
        rows = [[row.tokens, row.weights] for example in examples for row in example.rows]
        seen.update(json.dumps(rows).encode())
    return seen.hexdigest()
