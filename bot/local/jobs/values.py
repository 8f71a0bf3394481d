"""What is kept: files, jobs, what happened to them, and the models that they made. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.training import Kind

Level = Literal["info", "warn", "error"]
Status = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
WAITING: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that came, or that a job left. `size` is in bytes; `fault` is why no job can be made
    from it, `kind` what its lines are, "" where it is no training data. Both are known once it is
    `examined`. At `expires_at` it goes, in Unix seconds; 0 is never.
    """

    id: str
    name: str
    purpose: str
    size: int
    created_at: int
    kind: Kind | Literal[""] = ""
    fault: str = ""
    examined: bool = True
    expires_at: int = 0

    def is_expired(self, now: float) -> bool:
        return 0 < self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended without a model. `line` is that of its file, counted from 1."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A fine-tune job. Times are Unix seconds, 0 where there is none. `base` is what is trained of
    `model`, a file or a folder; `hyperparameters` are those that were asked for, then those that
    were taken.
    """

    id: str
    model: str
    base: str
    kind: Kind
    method: str
    training_file: str
    created_at: int
    status: Status = "queued"
    validation_file: str = ""
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    seed: int = 0
    metadata: Mapping[str, str] | None = None
    finished_at: int = 0
    estimated_finish: int = 0
    fine_tuned_model: str = ""
    result_file: str = ""
    trained_tokens: int = 0
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job. One with a `key` is told once for it, however often a
    training that was interrupted says it again; `id` and `at` are given when it is kept.
    """

    message: str
    level: Level = "info"
    type: Literal["message", "metrics"] = "message"
    data: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    id: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class TunedModel:
    """A model that a job made: the base with an adapter. `checkpoint` and `metrics` are those of
    one that was made on the way, `step` is 0 for the last.
    """

    name: str
    job: str
    base: str  # the name of the model that it was made from
    adapter: str  # a file
    created_at: int
    step: int = 0
    checkpoint: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
