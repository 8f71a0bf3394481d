"""OpenAI's webhooks: they say that a job ended, and shorten the wait until it is looked at.

They carry no more than the job's id (facts/fine-tuning.md), so a repeated one changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import structlog

from bot.ports import Door, Knock, Opened, Signature

PATH = "/hooks/openai"
SECRET = "OPENAI_WEBHOOK_SECRET"  # noqa: S105  the variable's name
KIND = "fine_tuning.job."

log = structlog.get_logger()


def door(secret: str, poke: Callable[[str], None]) -> Door:
    """What OpenAI calls; `poke` has a job looked at."""

    async def opens(knock: Knock) -> Opened:
        if job := job_of(knock.body):
            log.info("webhook", job=job)
            poke(job)
        return Opened()

    return Door(PATH, Signature("standard", secret), opens)


def job_of(body: bytes) -> str:
    """The id of the job that a webhook is about, "" for anything else."""
    try:
        told: Any = json.loads(body)
        job = told["data"]["id"] if str(told["type"]).startswith(KIND) else ""
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return job if isinstance(job, str) else ""
