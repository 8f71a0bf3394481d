"""What an operator needs beside a running tunebot: check, manifest, backup, health."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from pathlib import Path
from time import time

import click

from bot import log, store
from bot.cli.frame import config_option, configured, main
from bot.errors import BotError
from bot.platforms import load_adapters, settings_of


@main.command()
@config_option
def check(path: Path | None) -> None:
    """Try everything that is configured.

    Exits with 1 when something does not work.
    """
    from rich.console import Console
    from rich.table import Table

    from bot.check import checks

    config = configured(path)
    log.configure("ERROR")
    table = Table("", "what", "found", title="tunebot check", title_justify="left")
    failed = False

    async def fill() -> None:
        nonlocal failed
        async for line in checks(config, load_adapters(config)):
            table.add_row("[green]✓" if line.works else "[red]✗", line.what, line.found)
            failed = failed or not line.works

    asyncio.run(fill())
    Console().print(table)
    sys.exit(1 if failed else 0)


@main.command()
@click.option(
    "--format",
    "written",
    type=click.Choice(["json", "yaml"]),
    default="json",
    help="How it is written; Slack takes both.",
)
@click.option(
    "--url",
    default="",
    help="For mode = http: the https address under which Slack reaches the HTTP adapter's server.",
)
@config_option
def manifest(path: Path | None, written: str, url: str) -> None:
    """Print the manifest of the Slack app.

    The app is made from it at api.slack.com/apps: Create New App, From a manifest.
    """
    import yaml

    from bot.commands import infos

    settings = settings_of("slack", configured(path).adapters.get("slack", {}))
    made = import_module("adapters.slack.manifest").manifest("slack", settings, infos(), url)
    if written == "json":
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        click.echo(yaml.safe_dump(made, sort_keys=False, allow_unicode=True), nl=False)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
def backup(file: Path, path: Path | None) -> None:
    """Copy the database, also while tunebot runs.

    FILE must be a new one.
    """
    database = configured(path).database
    store.backup(database, file)
    click.echo(f"{database} is copied to {file}.")


@main.command()
@config_option
def health(path: Path | None) -> None:
    """Say whether a running tunebot shows life.

    Exits with 1 when none does on the configured database.
    """
    config = configured(path)
    if not store.healthy(config.database, time()):
        raise BotError(f"No tunebot shows life on {config.database}.")
    click.echo("running")
