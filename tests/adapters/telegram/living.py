"""tunebot in a process of its own, in front of the Telegram and the model of the tests."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.living import Program, command
from tests.scripted_model import ScriptedModel
from tests.telegram_server import TelegramServer

DYING = "tests.adapters.telegram.dying"


class Tunebot(Program):
    """The program on Telegram."""

    def __init__(self, folder: Path, telegram: TelegramServer, model: ScriptedModel) -> None:
        super().__init__(folder)
        self._telegram = telegram
        self._command = command(folder, "telegram", telegram.api_url, model.base_url)

    async def start(self, dies_at: int | None = None) -> None:
        """Run until it polls; with a moment of tests.adapters.telegram.dying at which it dies."""
        python, option, module, *rest = self._command
        dying = (option, DYING, str(dies_at)) if dies_at is not None else (option, module)
        polls = len(self._telegram.called("getUpdates"))
        await self.run((python, *dying, *rest), {"TELEGRAM_BOT_TOKEN": self._telegram.token})
        await self._telegram.until(lambda: len(self._telegram.called("getUpdates")) > polls, 30)
