"""Answers of services, read as the values of bot.training. Pure.

Whatever is not known is tolerated: facts/fine-tuning.md has what was seen.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from bot.training import (
    Checkpoint,
    Hyperparameters,
    Job,
    JobEvent,
    JobStatus,
    ServedModel,
    TrainingFile,
)
from bot.tuning.services.scalars import (
    count,
    identifier,
    mapping,
    number,
    seconds,
    sequence,
    text,
    whole,
)

STATUSES = {
    "validating_files": JobStatus.VALIDATING,
    "validating": JobStatus.VALIDATING,
    "created": JobStatus.QUEUED,
    "pending": JobStatus.QUEUED,
    "notrunning": JobStatus.QUEUED,
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "pausing": JobStatus.RUNNING,
    "resuming": JobStatus.RUNNING,
    "paused": JobStatus.PAUSED,
    "succeeded": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
LEVELS: dict[str, Literal["info", "warn", "error"]] = {
    "warn": "warn",
    "warning": "warn",
    "error": "error",
}
# A file of any other status can be trained from, as far as can be known before it is tried.
UNREAD = {"uploaded", "pending", "processing", "running", "notrunning", "queued", "importing"}
UNREADABLE = {"error", "failed"}


def job_of(answer: Any, id_: str = "") -> Job:
    """A job, whose id is `id_` where the answer leaves it out."""
    said = mapping(answer)
    status = text(said.get("status"))
    method = mapping(said.get("method"))
    kind = text(method.get("type")) or "supervised"
    error = mapping(said.get("error"))
    told = mapping(said.get("metadata"))
    return Job(
        identifier(said.get("id")) or id_,
        text(said.get("model")),
        STATUSES.get(status.lower(), JobStatus.UNKNOWN),
        said=status,
        created_at=seconds(said.get("created_at")),
        finished_at=seconds(said.get("finished_at")),
        estimated_finish=seconds(said.get("estimated_finish")),
        fine_tuned_model=text(said.get("fine_tuned_model")),
        training_file=file_id(said, "training_file"),
        validation_file=file_id(said, "validation_file"),
        result_files=tuple(filter(None, map(id_of, sequence(said.get("result_files"))))),
        trained_tokens=count(said.get("trained_tokens")),
        method=kind,
        hyperparameters=hyperparameters_of(
            mapping(mapping(method.get(kind)).get("hyperparameters"))
            or mapping(said.get("hyperparameters"))
            or mapping(said.get("hyperparams"))
        ),
        suffix=text(said.get("user_provided_suffix")) or text(said.get("suffix")),
        seed=whole(said.get("seed")),
        metadata={str(k): v for k, v in told.items() if isinstance(v, str)},
        # A healthy job may carry an error whose fields are null.
        failure=text(error.get("message")) or text(error.get("code")),
    )


def hyperparameters_of(said: Mapping[str, Any]) -> Hyperparameters:
    """What a training was told; "auto" is None."""
    return Hyperparameters(
        whole(said.get("n_epochs")),
        whole(said.get("batch_size")),
        number(said.get("learning_rate_multiplier")),
        number(said.get("beta")),
        number(said.get("prompt_loss_weight")),
    )


def file_id(said: Mapping[str, Any], field: str) -> str:
    """The id of a job's file: the legacy surface has a list of files instead."""
    files = [said.get(field), *sequence(said.get(f"{field}s"))]
    return next(filter(None, map(id_of, files)), "")


def id_of(value: Any) -> str:
    """An id, or that of an object."""
    return identifier(mapping(value).get("id")) or identifier(value)


def file_of(answer: Any, id_: str = "") -> TrainingFile:
    """A file, whose id is `id_` where the answer leaves it out."""
    said = mapping(answer)
    status = text(said.get("status")).lower()
    name = text(said.get("filename"))
    return TrainingFile(
        identifier(said.get("id")) or id_,
        name,
        count(said.get("bytes")),
        text(said.get("purpose")),
        seconds(said.get("created_at")),
        processed=status not in UNREAD | UNREADABLE,
        failure=file_failure(said) if status in UNREADABLE else "",
    )


def file_failure(said: Mapping[str, Any]) -> str:
    """Why a file could not be read."""
    for field in ("status_details", "error"):
        told = said.get(field)
        if reason := text(told) or text(mapping(told).get("message")):
            return reason
    return "its service could not read it, and does not say why"


def events_of(answers: Iterable[Any], *, newest_first: bool) -> list[JobEvent]:
    """Events, newest first.

    The id of one that has none is made from its time, its words and how often they came before in
    that second: the same at every look.
    """
    told = [mapping(each) for each in answers]
    told = told[::-1] if newest_first else told
    seen: Counter[tuple[float, str]] = Counter()
    events = []
    for said in told:
        at, message = seconds(said.get("created_at")), text(said.get("message"))
        id_ = identifier(said.get("id"))
        if not id_:
            id_ = made_id(at, message, seen[at, message])
            seen[at, message] += 1
        level = LEVELS.get(text(said.get("level")).lower(), "info")
        events.append(JobEvent(id_, at, level, message, mapping(said.get("data"))))
    return events[::-1]


def made_id(at: float, message: str, occurrence: int) -> str:
    """The id of an event that has none."""
    key = f"{at} {occurrence} {message}".encode("utf-8", "replace")
    return f"event-{sha256(key).hexdigest()[:24]}"


def checkpoint_of(answer: Any) -> Checkpoint:
    """A model that a job made on its way."""
    said = mapping(answer)
    metrics = ((key, number(value)) for key, value in mapping(said.get("metrics")).items())
    return Checkpoint(
        identifier(said.get("id")),
        seconds(said.get("created_at")),
        # Names were seen with a newline in them.
        "".join(text(said.get("fine_tuned_model_checkpoint")).split()),
        count(said.get("step_number")),
        {key: value for key, value in metrics if value is not None},
    )


def model_of(answer: Any) -> ServedModel:
    """A model at a service."""
    said = mapping(answer)
    return ServedModel(
        identifier(said.get("id")),
        seconds(said.get("created")),
        text(said.get("shutdown_date")),
    )


def data_of(answer: Any) -> Sequence[Any]:
    """The entries of a list, which some services send without an object around it."""
    return sequence(answer) or sequence(mapping(answer).get("data"))


def has_more(answer: Any, limit: int) -> bool:
    """Whether a list goes on: where the service does not say, a full page does."""
    said = mapping(answer).get("has_more")
    return said if isinstance(said, bool) else len(data_of(answer)) >= limit


def table_of(content: bytes) -> bytes:
    """A result file as CSV: some services encode it as base64, in which no comma stands."""
    packed = b"".join(content.split())
    try:
        decoded = base64.b64decode(packed, validate=True)
    except binascii.Error:
        return content
    try:
        header = decoded.decode("utf-8-sig").partition("\n")[0]
    except UnicodeDecodeError:
        return content
    return decoded if "," in header else content
