"""tunebot in a process of its own, in front of the Slack and the model of the tests."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.adapters.living import Program, command
from tests.scripted_model import ScriptedModel
from tests.slack_server.slack import Slack

SOCKET = """
channel_rate = 0
mode = "socket"
"""
HTTP = """
channel_rate = 0
mode = "http"

[adapters.http]
port = 0
"""


class Tunebot(Program):
    """The program on Slack, over sockets or HTTP."""

    def __init__(
        self, folder: Path, slack: Slack, model: ScriptedModel, mode: str = "socket"
    ) -> None:
        super().__init__(folder)
        self._slack = slack
        self._mode = mode
        self._command = command(
            folder,
            "slack",
            slack.api_url,
            model.base_url,
            settings=SOCKET if mode == "socket" else HTTP,
            operators=["slack:*"],
        )

    async def start(self) -> None:
        """Run until Slack reaches it."""
        tokens, sockets = self._slack.tokens, self._slack.delivery.sockets
        secrets = {
            "SLACK_BOT_TOKEN": tokens.bot,
            "SLACK_APP_TOKEN": tokens.app,
            "SLACK_SIGNING_SECRET": tokens.signing_secret,
        }
        begins = self.logged
        await self.run(self._command, secrets)
        if self._mode == "socket":
            await self._slack.workspace.until(lambda: len(sockets.live) == 2)
            return
        address = json.loads(await self.logs('"listening"', begins))["address"]
        await self.logs('"Slack may post"', begins)
        self._slack.delivery.posts_to(f"{address}slack")

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The same, and Slack has seen it go."""
        code = await super().end(how)
        sockets = self._slack.delivery.sockets
        await self._slack.workspace.until(lambda: not sockets.live)
        return code
