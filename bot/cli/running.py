"""`tunebot run` and `tunebot chat`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import log
from bot.app import App
from bot.cli.frame import config_option, configured, main
from bot.config import Config
from bot.errors import ConfigError
from bot.platforms import load_adapter, load_adapters
from bot.ports import Adapter


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
