"""What a training says while it runs: one line of JSON each, worded as OpenAI words its events.

Every event has type, level (info, warn or error) and message. By type there are also:

    message          nothing more; warnings are of this type
    hyperparameters  n_epochs, batch_size, learning_rate_multiplier, beta (preference only),
                     total_steps, trained_tokens
    resumed          step: this many are done. They and their checkpoints were told again before it,
                     the same, as who heard them may have died; those after it may have been too
    anew             nothing more; what was saved cannot be gone on with: all steps that were told
                     are void, and so are their checkpoints
    metrics          step, total_steps, epoch, learning_rate, train_loss, train_mean_token_accuracy,
                     eta (seconds left); at every tenth step, of a batch, valid_loss and
                     valid_mean_token_accuracy; at the end of an epoch both of the whole validation
                     file, then also as full_valid_loss and full_valid_mean_token_accuracy
    checkpoint       step, total_steps, epoch, adapter (a file), metrics (those of its step without
                     the rate and the eta)
    done             step, adapter, results (files), trained_tokens
    error            code, line (null if there is none); nothing follows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.local.training.automatic import Chosen
from bot.local.training.fault import TrainingFault

Event = Mapping[str, Any]
Tell = Callable[[Event], None]


def event(type_: str, message: str, level: str = "info", **data: Any) -> Event:
    return {"type": type_, "level": level, "message": message, **data}


def warning(message: str) -> Event:
    return event("message", message, "warn")


def hyperparameters(chosen: Chosen, total_steps: int, trained_tokens: int, kind: str) -> Event:
    data: dict[str, Any] = {
        "n_epochs": chosen.epochs,
        "batch_size": chosen.batch_size,
        "learning_rate_multiplier": chosen.learning_rate_multiplier,
        **({"beta": chosen.beta} if kind == "preference" else {}),
    }
    said = ", ".join(f"{key}={value:g}" for key, value in data.items())
    data |= {"total_steps": total_steps, "trained_tokens": trained_tokens}
    return event("hyperparameters", f"Training with {said}", **data)


def resumed(step: int) -> Event:
    return event("resumed", f"Going on after step {step}", step=step)


def anew() -> Event:
    return event(
        "anew",
        "The training begins anew: what was saved is of another version of tunebot, or the model "
        "has changed since",
        "warn",
    )


def told_before(
    history: Iterable[Mapping[str, Any]], per_epoch: int, adapter: Callable[[int], Path]
) -> Iterator[Event]:
    """The steps and checkpoints of a training that goes on. `adapter` is the file of a step."""
    for data in history:
        yield metrics(data)
        if data["step"] % per_epoch == 0:
            yield checkpoint(data, adapter(data["step"]))


def metrics(data: Mapping[str, Any]) -> Event:
    message = f"Step {data['step']}/{data['total_steps']}: training loss={data['train_loss']:.2f}"
    if "valid_loss" in data:
        message += f", validation loss={data['valid_loss']:.2f}"
    return event("metrics", message, **data)


def checkpoint(data: Mapping[str, Any], adapter: Path) -> Event:
    place = {key: data[key] for key in ("step", "total_steps", "epoch")}
    measured = {key: data[key] for key in data if key.endswith(("step", "loss", "accuracy"))}
    message = f"Checkpoint created at step {data['step']}"
    return event("checkpoint", message, **place, adapter=str(adapter), metrics=measured)


def done(step: int, adapter: Path, results: Path, trained_tokens: int) -> Event:
    return event(
        "done",
        "The job has successfully completed",
        step=step,
        adapter=str(adapter),
        results=str(results),
        trained_tokens=trained_tokens,
    )


def error(fault: TrainingFault) -> Event:
    return event("error", fault.message, "error", code=fault.code, line=fault.line)
