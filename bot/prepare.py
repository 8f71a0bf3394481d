"""`tunebot prepare`: training data prepared in a terminal, question by question."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from time import time
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bot.commands.finetune.findings import MARKS, dataset_text, finding_places, optional, overview
from bot.config import Config
from bot.datasets.checks import Choice
from bot.datasets.findings import Finding, Weight
from bot.datasets.preparation import Preparation, Report
from bot.errors import DatasetError
from bot.store import beside, datasets
from bot.training import Dataset
from bot.tuning.preparing import described, summed_up

LARGE = 5_000_000  # bytes from which a bar is worth its place


def check(path: Path, *, as_json: bool) -> bool:
    """Report on a file and change nothing; returns whether it can be trained from."""
    with opened(path, quiet=as_json) as file:
        report = file.examine()
    if as_json:
        click.echo(json.dumps(facts(report), ensure_ascii=False))
    else:
        show(path, report, report.findings)
        tell_obstacles(report)
    return not report.obstacles


def prepare(path: Path, config: Config, *, ask: bool, as_json: bool) -> bool:
    """Write what a person decides, or what is recommended, beside the file, and keep it as a
    dataset; returns False where the file cannot be trained from.
    """
    with opened(path, quiet=as_json) as file:
        report = file.examine()
        if not as_json:
            show(path, report, report.findings)
        if report.obstacles:
            refuse(report, as_json=as_json)
            return False
        if ask:
            report = decided(file, report)
        files = file.write(path.resolve().parent, report.choice)
    person = f"terminal:{getpass.getuser()}"
    dataset = described(summed_up(files), path.name, person, time())
    dataset = beside(config.database, datasets.put, dataset)
    if as_json:
        click.echo(json.dumps({**facts(report), "dataset": asdict(dataset)}, ensure_ascii=False))
    else:
        tell(dataset)
    return True


@contextmanager
def opened(path: Path, *, quiet: bool) -> Iterator[Preparation]:
    """A file, with a bar while a large one is read. Raises DatasetError."""
    if not path.is_file():
        raise DatasetError(f"{path}: no such file.")
    columns = (TextColumn("reading"), BarColumn(), TaskProgressColumn())
    hidden = quiet or path.stat().st_size < LARGE
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden) as bar:
        reading = bar.add_task("reading", total=1.0)
        with Preparation(path, progress=lambda share: bar.update(reading, completed=share)) as file:
            yield file


def show(path: Path, report: Report, findings: tuple[Finding, ...]) -> None:
    """The findings, for a person."""
    console = Console(highlight=False)
    console.print(f"[bold]{escape(path.name)}[/]: {overview(report)}")
    for finding in findings:
        places = f" [dim]({finding_places(finding)})[/]" if finding.lines else ""
        console.print(f" {MARKS[finding.level]} {escape(finding.says)}{places}")
        if finding.remedy:
            necessary = finding.remedy.weight is Weight.NECESSARY
            does = "will be done" if necessary else finding.remedy.weight.value
            console.print(f"     → {escape(finding.remedy.says)} [dim]({does})[/]")


def decided(file: Preparation, report: Report) -> Report:
    """The report once a person has decided on each change, in their order. A decision may bring up
    a new finding, which is shown, or settle one that was to come.
    """
    asked: set[str] = set()
    while waiting := [each for each in optional(report.findings) if each.key not in asked]:
        remedy = waiting[0]
        asked.add(remedy.key)
        taken = report.choice.takes(remedy)
        if click.confirm(f"{remedy.says}?", default=taken) != taken:
            known = set(report.findings)
            chosen = {each.key for each in optional(report.findings) if report.choice.takes(each)}
            report = file.examine(Choice(frozenset(chosen ^ {remedy.key})))
            fresh = tuple(each for each in report.findings if each not in known)
            for finding in fresh:
                click.echo(f" {MARKS[finding.level]} {finding.says}")
    return report


def refuse(report: Report, *, as_json: bool) -> None:
    """Say why nothing is written."""
    if as_json:
        click.echo(json.dumps(facts(report), ensure_ascii=False))
    else:
        tell_obstacles(report)


def tell_obstacles(report: Report) -> None:
    """Say what stands in the way."""
    if report.obstacles:
        click.echo("It cannot be trained from as it is: mend what is marked by ❌.", err=True)


def tell(dataset: Dataset) -> None:
    """Say what was made, and where."""
    click.echo()
    for path in filter(None, (dataset.training_file, dataset.validation_file)):
        click.echo(f"written: {path}")
    click.echo(dataset_text(dataset).replace("**", ""))


def facts(report: Report) -> dict[str, Any]:
    """A report for machines."""
    return {
        "format": report.format.value,
        "task": report.task.value if report.task else None,
        "rows": report.rows,
        "kept": report.kept,
        "separator": report.separator,
        "stop": report.stop,
        "answer_prefix": report.answer_prefix,
        "usable": not report.obstacles,
        "findings": [
            {
                **asdict(replace(finding, remedy=None)),
                "remedy": asdict(finding.remedy) if finding.remedy else None,
            }
            for finding in report.findings
        ],
    }
