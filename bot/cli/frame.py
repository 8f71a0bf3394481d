"""What all commands have: the group, the option --config, and one line where they fail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bot.config import Config, load
from bot.errors import BotError, ConfigError

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
