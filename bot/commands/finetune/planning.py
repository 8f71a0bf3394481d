"""What a job would take, asked of its data and its service before anybody confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.apart import apart
from bot.commands.finetune.findings import KINDS
from bot.commands.options import Options
from bot.commands.registry import Services
from bot.datasets.cost import estimate
from bot.errors import CommandError, TuningError
from bot.store import datasets, jobs
from bot.store.jobs import Stage
from bot.training import Dataset, Hyperparameters, Kind, Method, NewJob, ServedModel
from bot.tuning import graders
from bot.tuning.plan import Plan, served, unlimited, unlisted, warnings
from bot.tuning.preparing import Measured, measured
from bot.tuning.quoting import quoted
from bot.tuning.service import untaught

MOST_SUFFIX = 64
METHODS: Mapping[Kind, Method] = {"preference": "dpo", "reinforcement": "reinforcement"}


async def planned(
    services: Services, options: Options, dataset: Dataset | None, source: str, model: str
) -> Plan:
    """What is to be confirmed. Raises CommandError, or TuningError where the service is asked in
    vain.
    """
    service = options["service"] or services.tuning.provider
    if service not in services.jobs.services:
        known = ", ".join(services.jobs.services)
        raise CommandError(f"There is no provider named {service!r}; known: {known}.")
    validation = await validation_of(services, options, dataset)
    method: Method = options["method"] or (method_for(dataset) if dataset else "supervised")
    wanted = NewJob(
        model,
        source,
        validation,
        method,
        Hyperparameters(options["epochs"], options["batch"], options["lr"], options["beta"]),
        options["suffix"] or (dataset.name if dataset else "")[:MOST_SUFFIX],
        options["seed"],
        wandb=options["wandb"] or "",
        grader=options["grader"] or {},
    )
    require_fitting(wanted, dataset)
    if method not in (methods := services.jobs.services[service].methods):
        raise CommandError(untaught(service, method, methods))
    found, doubt = await found_at(services, service, model)
    data = await looked_at(wanted, dataset)
    if data and (lacking := graders.missing(wanted.grader, data.fields)):
        raise CommandError(lacking)
    usual = services.jobs.services[service].usual
    price = (
        estimate(data.counted, services.prices, model, options["epochs"], usual)
        if data and method != "reinforcement"
        else None
    )
    queue = await services.store.insist(jobs.at_stage, Stage.STARTING, Stage.MADE)
    return Plan(
        service,
        wanted.suffix or model,
        wanted,
        dataset,
        price,
        sum(each.service == service for each in queue),
        (
            *filter(None, [doubt]),
            *warnings(wanted, dataset, found, services.clock.now()),
            *(data.warnings if data else ()),
            *unlimited(services.tuning, wanted, price),
        ),
    )


async def found_at(services: Services, service: str, name: str) -> tuple[ServedModel | None, str]:
    """The model of a name at a service, None for none; and what speaks against it. Raises
    CommandError for a name that was probably mistyped.
    """
    try:
        models = await services.jobs.services[service].models()
    except TuningError as error:
        return None, f"Whether {service} has {quoted(name)} is not known. {error}"
    model = served(models, name)
    return model, "" if model else unlisted(name)


async def looked_at(wanted: NewJob, dataset: Dataset | None) -> Measured | None:
    """What a dataset has; None for a file that is at its service only."""
    if dataset is None:
        return None
    validation = wanted.validation_file
    other = Path(validation) if Path(validation).is_absolute() else None
    training, graded = Path(dataset.training_file), bool(wanted.grader)
    return await apart(measured, training, other, wanted.model, graded=graded)


async def validation_of(services: Services, options: Options, dataset: Dataset | None) -> str:
    """The file to validate with: the one that is named, or what was held back."""
    named = options["validation"]
    if not named:
        return dataset.validation_file if dataset else ""
    other = await meant(services, named)
    return other.training_file if other else str(named)


async def meant(services: Services, source: str) -> Dataset | None:
    """The dataset of a name; None for the id of a file at a service. Raises CommandError."""
    known = await services.store.insist(datasets.named, source)
    return known if known or source.startswith("file-") else await services.library.named(source)


def method_for(dataset: Dataset) -> Method:
    """The method that learns from a dataset."""
    return METHODS.get(dataset.kind, "supervised")


def require_fitting(wanted: NewJob, dataset: Dataset | None) -> None:
    """Raise CommandError where data, method and grader do not go together."""
    if dataset and wanted.method != method_for(dataset):
        raise CommandError(
            f"{dataset.name} has {KINDS[dataset.kind]}: --method {method_for(dataset)} trains from "
            f"them.{others(wanted, dataset)}"
        )
    if wanted.method == "reinforcement" and not wanted.grader:
        raise CommandError(f"A grader is needed that judges the answers: {graders.HOW}")
    if wanted.hyperparameters.beta is not None and wanted.method != "dpo":
        raise CommandError("Only --method dpo, which learns from preferences, takes a --beta.")
    if wanted.grader and wanted.method != "reinforcement":
        raise CommandError("Only --method reinforcement takes a --grader.")


def others(wanted: NewJob, dataset: Dataset) -> str:
    """How other examples are made of a dataset; "" where they cannot be."""
    if wanted.method != "reinforcement" or dataset.kind == "preference":
        return ""
    return f" `/finetune prepare {dataset.name} --as reinforcement` makes questions of them."
