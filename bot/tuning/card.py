"""The card of a job: its state in a few lines of Markdown, made anew whenever it changes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.datasets.cost import duration, roughly
from bot.training import Job, JobStatus
from bot.tuning.progress import Progress
from bot.tuning.quoting import LONGEST, coded, quoted

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 16  # characters of a bar and of a sparkline
SIGNS = {
    JobStatus.VALIDATING: "🔎",
    JobStatus.QUEUED: "⏳",
    JobStatus.RUNNING: "🏃",
    JobStatus.PAUSED: "⏸️",
    JobStatus.SUCCEEDED: "✅",
    JobStatus.FAILED: "❌",
    JobStatus.CANCELLED: "⏹️",
    JobStatus.UNKNOWN: "❔",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a card shows. `cost` is what is expected or was billed, in words, "" for nothing;
    `trouble` why the job cannot be seen just now.
    """

    job: Job
    progress: Progress
    name: str
    cost: str = ""
    trouble: str = ""


def card_text(shown: Shown, now: float) -> str:
    """The whole card."""
    job, progress = shown.job, shown.progress
    lines = [
        f"{SIGNS[job.status]} **{quoted(shown.name)}** · {quoted(job.model)} · {state(job)}",
        coded(job.id),
        *how_far(job, progress, now),
        *losses(progress),
        *([f"Tokens trained: {job.trained_tokens:,}"] if job.trained_tokens else []),
        *([f"Cost: {shown.cost}"] if shown.cost else []),
        *([f"Model: {coded(job.fine_tuned_model)}"] if job.fine_tuned_model else []),
        *([f"It failed: {quoted(job.failure, LONGEST)}"] if job.failure else []),
        *([f"⚠️ Not seen just now: {quoted(shown.trouble, LONGEST)}"] if shown.trouble else []),
    ]
    return "  \n".join(lines)


def state(job: Job) -> str:
    """The status in the service's own word, where we do not know it."""
    known = job.status is not JobStatus.UNKNOWN or not job.said
    return job.status.value if known else quoted(job.said)


def how_far(job: Job, progress: Progress, now: float) -> list[str]:
    """The bar, the counts and the time left."""
    if job.status.is_end:
        took = job.finished_at - job.created_at
        return [f"Took {duration(took)}"] if job.finished_at and took > 0 else []
    if progress.queue is not None and job.status is not JobStatus.RUNNING:
        starts = progress.start()
        left = f", about {duration(roughly(starts - now))} until it starts" if starts > now else ""
        return [f"Queue number {progress.queue}{left}"]
    share = progress.share
    if share is None:
        return []
    parts = [f"`{bar(share)}` {share:.0%}"]
    if progress.steps:
        parts.append(f"step {progress.step:,}/{progress.steps:,}")
    if progress.epochs:
        parts.append(f"epoch {progress.epoch}/{progress.epochs}")
    ends = progress.finish(job.estimated_finish)
    if ends > now and job.status is not JobStatus.PAUSED:
        parts.append(f"{duration(ends - now)} left")
    return [" · ".join(parts)]


def losses(progress: Progress) -> list[str]:
    """The curves, each with its newest value."""
    curves = (("Training", progress.training), ("Validation", progress.validation))
    parts = [
        f"{name} loss {curve[-1][1]:.3g} `{sparkline([value for _, value in curve])}`"
        for name, curve in curves
        if curve
    ]
    return [" · ".join(parts)] if parts else []


def bar(share: float, width: int = WIDTH) -> str:
    """A share from 0 to 1 as a bar of so many characters."""
    full = int(share * width)
    return "█" * full + "░" * (width - full)


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A curve in one line of at most so many characters: each is the mean of its stretch."""
    count = min(len(values), width)
    stretches = [
        values[i * len(values) // count : (i + 1) * len(values) // count] for i in range(count)
    ]
    means = [sum(stretch) / len(stretch) for stretch in stretches]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((mean - low) * scale)] for mean in means)
