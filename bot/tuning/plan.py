"""A job before it is made: what it would take, and what speaks against it. Pure but for the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from bot.config import Tuning
from bot.datasets.cost import Estimate
from bot.errors import CommandError
from bot.training import Dataset, NewJob, ServedModel
from bot.tuning.quoting import coded, quoted

NOT_COUNTED = "How many tokens it has is not known here, so its price is unknown."
# https://help.openai.com/en/articles/11323177-billing-guide-for-the-reinforcement-fine-tuning-api
BY_TIME = (
    "It is billed by the time that it trains, not by tokens, and a model that grades by its tokens "
    "besides: its price is unknown."
)
LEAST_MULTIPLIER = 0.01  # of the learning rate; below, somebody means the rate itself
SOON_DAYS = 90  # before a model's end in which a warning is due
# facts/prepare-data.md; OpenAI takes reinforcement examples from ten on, too.
FEW = {"completion": 100, "chat": 10, "preference": 10, "reinforcement": 10}


@dataclass(frozen=True, slots=True)
class Plan:
    """A job to be confirmed. `estimate` is None for a file that is at its service only; `queue` is
    how many jobs run or wait there.
    """

    service: str
    name: str
    wanted: NewJob
    dataset: Dataset | None
    estimate: Estimate | None
    queue: int
    warnings: tuple[str, ...] = ()

    @property
    def cost(self) -> float | None:
        """US dollars, None where that is not known."""
        return self.estimate.dollars if self.estimate else None

    @property
    def text(self) -> str:
        """What a person confirms."""
        data = self.dataset.name if self.dataset else self.wanted.training_file
        return "\n".join(
            [
                f"Train **{quoted(self.wanted.model)}** on **{quoted(data)}** at {self.service}?",
                "",
                f"- {self._takes}",
                *([f"- {graded(self.wanted.grader)}"] if self.wanted.grader else []),
                *([f"- {self.queue} jobs run or wait there."] if self.queue > 1 else []),
                *(["- 1 job runs or waits there."] if self.queue == 1 else []),
                *(f"- ⚠️ {warning}" for warning in self.warnings),
            ]
        )

    @property
    def _takes(self) -> str:
        if self.wanted.method == "reinforcement":
            return BY_TIME
        return self.estimate.says if self.estimate else NOT_COUNTED


def graded(grader: Mapping[str, Any]) -> str:
    """Who judges the answers that a model tries out."""
    model = f" by {quoted(grader['model'])}" if grader["type"] == "score_model" else ""
    return f"Answers are graded by {quoted(grader['name'])} ({grader['type']}{model})."


def warnings(
    wanted: NewJob, dataset: Dataset | None, model: ServedModel | None, now: float
) -> tuple[str, ...]:
    """What an operator should know before it costs money."""
    found = []
    if model and (ends := ending(model, now)):
        found.append(ends)
    rate = wanted.hyperparameters.learning_rate_multiplier
    if rate and rate < LEAST_MULTIPLIER:
        found.append(
            f"--lr multiplies the service's own learning rate: with {rate:g} next to nothing is "
            f"learned. Usual are 0.1 to 10."
        )
    if dataset and dataset.examples < FEW[dataset.kind]:
        few = FEW[dataset.kind]
        found.append(f"{dataset.examples} examples are few: {few} or more are advised.")
    if wanted.validation_file and wanted.validation_file == wanted.training_file:
        found.append("The same file trains and validates: its validation loss will say nothing.")
    # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reinforcement-fine-tuning
    if wanted.method == "reinforcement" and not wanted.validation_file:
        found.append(
            "Nothing validates it, which Azure refuses: hold examples back when the data is "
            "prepared, or name a dataset by --validation."
        )
    return tuple(found)


def ending(model: ServedModel, now: float) -> str:
    """That a model ends soon, with every model tuned from it; "" where it does not."""
    try:
        day = date.fromisoformat(model.shutdown)
    except ValueError:
        return ""
    left = (day - datetime.fromtimestamp(now, UTC).date()).days
    if left > SOON_DAYS:
        return ""
    when = f"in {left} days" if left > 1 else "tomorrow" if left == 1 else "now"
    return f"{model.id} ends {when}, on {model.shutdown}, and every model tuned from it with it."


def unlisted(name: str) -> str:
    """That a service lists its models, but not this one."""
    return f"The service does not list {quoted(name)}: it may refuse it."


def served(models: Sequence[ServedModel], name: str) -> ServedModel | None:
    """The model of a name; None where none is listed that is like it.

    Raises CommandError with the nearest one for a name that was probably mistyped.
    """
    for model in models:
        if model.id == name:
            return model
    nearest = get_close_matches(name, [model.id for model in models], n=1, cutoff=0.8)
    if nearest:
        raise CommandError(f"There is no model {name!r}: did you mean {nearest[0]!r}?")
    return None


def unlimited(rules: Tuning, wanted: NewJob, estimate: Estimate | None) -> tuple[str, ...]:
    """That a limit cannot be kept, as nobody knows what a job will cost, and what can be done."""
    known = estimate is not None and estimate.dollars is not None
    if known or (rules.most_per_job is None and rules.most_per_month is None):
        return ()
    if wanted.method == "reinforcement":
        remedy = "look at it while it trains, and end it by `/finetune cancel` in time."
    elif estimate is None:
        remedy = "prepare the file here, and its tokens are counted."
    else:
        table = coded(f'[prices."{wanted.model}"]')
        remedy = f"write {table} with `training` into the configuration."
    return (f"The limits in [tuning] do not hold for it, as its price is unknown: {remedy}",)


def require_within(rules: Tuning, cost: float | None, spent: float) -> None:
    """Raise CommandError for a job over the limit of a job or a month; `spent` is this month's."""
    if cost is None:
        return
    if rules.most_per_job is not None and cost > rules.most_per_job:
        raise CommandError(
            f"It would cost about ${cost:,.2f}, and [tuning] allows ${rules.most_per_job:,.2f} a "
            f"job (most_per_job)."
        )
    if rules.most_per_month is not None and spent + cost > rules.most_per_month:
        raise CommandError(
            f"It would cost about ${cost:,.2f} after ${spent:,.2f} this month, and [tuning] allows "
            f"${rules.most_per_month:,.2f} a month (most_per_month)."
        )


def month_of(now: float) -> float:
    """When the month of a Unix time began (UTC)."""
    day = datetime.fromtimestamp(now, UTC)
    return datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()
