"""`tunebot prepare` and `tunebot finetune`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bot import log
from bot.cli.frame import config_option, configured, main


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
