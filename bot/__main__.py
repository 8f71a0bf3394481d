"""`python -m bot` is `tunebot`."""

from bot.cli import main

main(prog_name="tunebot")
