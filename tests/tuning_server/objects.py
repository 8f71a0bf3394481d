"""A job as it goes out, on either surface."""

from __future__ import annotations

from typing import Any

from tests.tuning_server.jobs import Job
from tests.tuning_server.values import Json

AZURE = {"validating_files": "pending", "queued": "notRunning", "cancelled": "canceled"}
LEGACY = {"validating_files": "pending", "queued": "pending"}
HEALTHY = {"code": None, "message": None, "param": None}


def modern(job: Job) -> Json:
    """The object as it goes out."""
    method = job.asked.get("method") or {"type": "supervised"}
    said = method.get(method["type"]) or {}
    chosen = said.get("hyperparameters") or job.asked.get("hyperparameters") or {}
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    told_method = {**said, "hyperparameters": auto | chosen}
    supervised = {key: value for key, value in (auto | chosen).items() if key in auto}
    status = AZURE.get(job.status, job.status) if job.server.azure else job.status
    healthy = dict(HEALTHY) if job.server.healthy_errors else None
    told: Json = {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.asked["model"],
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "estimated_finish": job.estimated_finish,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": "org-acme",
        "status": status,
        "training_file": job.asked["training_file"],
        "validation_file": job.asked.get("validation_file"),
        "result_files": job.result_files,
        "trained_tokens": job.trained_tokens,
        "hyperparameters": supervised,
        "method": {"type": method["type"], method["type"]: told_method},
        "seed": job.asked.get("seed", 42),
        "integrations": job.asked.get("integrations") or [],
        "error": job.error or healthy,
        "user_provided_suffix": job.asked.get("suffix"),
    }
    if job.server.keeps_metadata:
        told["metadata"] = job.asked.get("metadata")
    return told


def legacy(job: Job, *, with_events: bool = True) -> Json:
    """The object of the legacy surface: no suffix, no metadata, files as objects."""

    def objects(*ids: Any) -> list[Json]:
        files = (job.server.files.get(id_) for id_ in ids if id_)
        return [file.json() for file in files if file]

    told: Json = {
        "object": "fine-tune",
        "id": job.id,
        "model": job.asked["model"],
        "created_at": job.created_at,
        "updated_at": int(job.server.now()),
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": "org-acme",
        "status": LEGACY.get(job.status, job.status),
        "hyperparams": {
            "n_epochs": job.asked.get("n_epochs", 4),
            "batch_size": job.asked.get("batch_size"),
            "learning_rate_multiplier": job.asked.get("learning_rate_multiplier"),
            "prompt_loss_weight": job.asked.get("prompt_loss_weight", 0.01),
        },
        "training_files": objects(job.asked["training_file"]),
        "validation_files": objects(job.asked.get("validation_file")),
        "result_files": objects(*job.result_files),
    }
    return told | ({"events": job.events} if with_events else {})
