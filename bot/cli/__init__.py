"""The `tunebot` command line. Importing it registers every command."""

from bot.cli import local, operating, running, training
from bot.cli.frame import main

__all__ = ["local", "main", "operating", "running", "training"]
