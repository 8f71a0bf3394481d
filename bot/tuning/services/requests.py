"""What is asked for when a job is to be made. Pure.

Nothing is sent that is not wanted: nulls are refused by some services.
"""

from __future__ import annotations

from typing import Any

from bot.training import Hyperparameters, NewJob


def job_body(job: NewJob, *, by_method: bool = True) -> dict[str, Any]:
    """OpenAI's body. Servers that do not know `method` are told hyperparameters without it: never
    both.
    """
    hyperparameters = told(job.hyperparameters, with_beta=job.method == "dpo")
    body: dict[str, Any] = {"model": job.model, "training_file": job.training_file}
    if by_method and (hyperparameters or job.method != "supervised"):
        within: dict[str, Any] = {"hyperparameters": hyperparameters} if hyperparameters else {}
        if job.method == "reinforcement":
            within["grader"] = dict(job.grader)
        body["method"] = {"type": job.method, job.method: within}
    elif hyperparameters:
        body["hyperparameters"] = hyperparameters
    if job.wandb:
        body["integrations"] = [{"type": "wandb", "wandb": {"project": job.wandb}}]
    wanted = {
        "validation_file": job.validation_file or None,
        "suffix": job.suffix or None,
        "seed": job.seed,
        "metadata": dict(job.metadata) or None,
    }
    return body | {field: value for field, value in wanted.items() if value is not None}


def legacy_body(job: NewJob) -> dict[str, Any]:
    """The body of the legacy surface, which knows neither methods nor metadata."""
    wanted = {
        "training_file": job.training_file,
        "validation_file": job.validation_file or None,
        "model": job.model,
        **told(job.hyperparameters),
        "prompt_loss_weight": job.hyperparameters.prompt_loss_weight,
        "suffix": job.suffix or None,
    }
    return {field: value for field, value in wanted.items() if value is not None}


def told(chosen: Hyperparameters, *, with_beta: bool = False) -> dict[str, int | float]:
    """Those hyperparameters that are not left to the service."""
    named = {
        "n_epochs": chosen.epochs,
        "batch_size": chosen.batch_size,
        "learning_rate_multiplier": chosen.learning_rate_multiplier,
        "beta": chosen.beta if with_beta else None,
    }
    return {name: value for name, value in named.items() if value is not None}
