"""What the bot asked of Slack."""

from __future__ import annotations

from dataclasses import dataclass

from tests.slack_server.values import Parameters


@dataclass(slots=True)
class Call:
    """A call of the bot. `at` is when it came; `outcome` is "ok" or the error, "" while there is
    none; `status` is of its answer in HTTP, 0 while there is none.
    """

    method: str
    given: Parameters
    at: float
    outcome: str = ""
    status: int = 0

    @property
    def channel(self) -> str:
        """The id of the channel that is meant, if any."""
        return str(self.given.get("channel") or self.given.get("channel_id") or "")
