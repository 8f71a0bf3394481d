"""The values of training: files, jobs, what happens to them, and the data they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["completion", "chat", "preference", "reinforcement"]
Method = Literal["supervised", "dpo", "reinforcement"]


class JobStatus(StrEnum):
    """Where a fine-tune job stands, whatever its service calls it."""

    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # a word that we do not know is no end: facts/fine-tuning.md

    @property
    def is_end(self) -> bool:
        """Whether nothing more happens to the job."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """A file at a tuning service. `size` is in bytes, `at` in Unix seconds; a job may be made from
    it once it is `processed`. `failure` is the service's reason where it could not be read.
    """

    id: str
    name: str
    size: int = 0
    purpose: str = ""
    at: float = 0.0
    processed: bool = True
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a training is told. None leaves it to the service."""

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None  # preference training only
    prompt_loss_weight: float | None = None  # the legacy surface only


@dataclass(frozen=True, slots=True)
class NewJob:
    """A fine-tune job to be made. Files are ids at the service; `wandb` names a project there.

    `grader` judges answers in reinforcement training, written as the service takes it.
    """

    model: str
    training_file: str
    validation_file: str = ""
    method: Method = "supervised"
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    wandb: str = ""
    grader: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A fine-tune job as its service tells it. Times are in Unix seconds, 0 where there is none.

    `said` is the service's own word for the status. `failure` is why it failed, with the line of
    the file where the service names one; never set from an error without a code or a message.
    """

    id: str
    model: str
    status: JobStatus
    said: str = ""
    created_at: float = 0.0
    finished_at: float = 0.0
    estimated_finish: float = 0.0
    fine_tuned_model: str = ""
    training_file: str = ""
    validation_file: str = ""
    result_files: tuple[str, ...] = ()
    trained_tokens: int = 0
    method: str = "supervised"
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job. `id` is unique within the job, also where the service gives
    none. `data` is what the service adds: its keys are not documented.
    """

    id: str
    at: float
    level: Literal["info", "warn", "error"]
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that a job made on its way."""

    id: str
    at: float
    model: str
    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model at a service. `shutdown` is the day on which it ends (YYYY-MM-DD), "" if none is
    known.
    """

    id: str
    at: float = 0.0
    shutdown: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Training data that is ready, and what belongs to the model that it makes.

    Files are paths on this machine; `tokens` are those of one epoch of the training file, 0 where
    they were not counted. A prompt ends with `separator`, a completion begins with `answer_prefix`
    and ends with `stop`; `labels` are the answers of a classification. With `single_turn` every
    prompt is known to be one question, without what was said before.
    """

    name: str
    kind: Kind
    training_file: str
    validation_file: str = ""
    examples: int = 0
    validation_examples: int = 0
    tokens: int = 0
    separator: str = ""
    answer_prefix: str = ""
    stop: str = ""
    labels: tuple[str, ...] = ()
    system: str = ""
    single_turn: bool = False
    source: str = ""
    person: str = ""
    at: float = 0.0
