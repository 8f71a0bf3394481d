"""What followers are told of a job: beneath its card the events worth reading, in the channel only
its start and its end. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Button, Card, Document
from bot.store.telling import Notice
from bot.training import Job, JobEvent, JobStatus
from bot.tuning.quoting import LONGEST, coded, quoted

SIGNS = {"warn": "⚠️ ", "error": "❌ "}
CHANNEL = {
    JobStatus.SUCCEEDED: "✅ **{name}** is trained{result}.",
    JobStatus.FAILED: "❌ The training of **{name}** failed: {failure}",
    JobStatus.CANCELLED: "⏹️ The training of **{name}** was cancelled.",
}
WAITING = {JobStatus.VALIDATING, JobStatus.QUEUED}
NO_REASON = "its service gives no reason."


def news_of(name: str, before: Job, now: Job, events: Sequence[JobEvent]) -> list[Notice]:
    """What is told of a job that goes on, or before its end is told."""
    notices = [beneath(event_text(event)) for event in events if worth_reading(event)]
    if before.status is now.status:
        return notices
    if now.status is JobStatus.RUNNING and before.status in WAITING:
        return [*notices, Notice(Card(f"🏃 The training of **{quoted(name)}** started."))]
    if now.status.is_end:
        return notices
    return [*notices, beneath(f"It is {quoted(now.said) or now.status.value} now.")]


def event_text(event: JobEvent) -> str:
    """An event as it is told."""
    return f"{SIGNS.get(event.level, '')}{quoted(event.text, LONGEST) or event.level}"


def worth_reading(event: JobEvent) -> bool:
    """Whether an event is told: warnings, errors and checkpoints are, steps are not."""
    return event.level != "info" or "checkpoint" in event.text.lower()


def beneath(text: str) -> Notice:
    """Said below the card."""
    return Notice(Card(text), beneath=True)


def end_of(
    row: int, name: str, job: Job, card: str, chart: Document | None, *, deploys: bool = False
) -> list[Notice]:
    """What is told of a job that ended: its card for the last time, and the channel."""
    result = coded(job.fine_tuned_model)
    text = CHANNEL[job.status].format(
        name=quoted(name),
        result=f": {quoted(job.model)} answers as {result}" if result else "",
        failure=quoted(job.failure, LONGEST) or NO_REASON,
    )
    has_model = job.status is JobStatus.SUCCEEDED and bool(result)
    if has_model and deploys:
        text = f"{text} {to_deploy(row, job.fine_tuned_model)}"
    buttons = buttons_of(row, deploys=deploys) if has_model else ()
    return [Notice(Card(card), edits=True), Notice(Card(text, chart, buttons=buttons))]


def to_deploy(row: int, model: str) -> str:
    """What is to be done before a model answers, where models have to be deployed.

    https://learn.microsoft.com/azure/ai-foundry/openai/how-to/fine-tuning-deploy
    """
    return (
        f"It answers once {coded(model)} is deployed there, which is billed by the hour: after "
        f"that, `/finetune use {row} DEPLOYMENT` talks to it, by the name of the deployment."
    )


def buttons_of(row: int, *, deploys: bool) -> tuple[Button, ...]:
    """What can be done with a job that ended well."""
    checkpoints = Button("Checkpoints", f"/finetune checkpoints {row}")
    if deploys:
        return (checkpoints,)
    return (
        Button("Try it", f"/finetune try {row}"),
        Button("Use here", f"/finetune use {row}"),
        checkpoints,
    )
