"""A team: who is in it, where they talk, its ids and its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import count

from tests.slack_server.values import Channel, User

TEAM = "T0TUNEBOT"
APP = "A0TUNEBOT"


class Team:
    """One team with the bot in it. `now` is the time of everything in it, in Unix seconds.

    What changes is seen by those who wait in `until`.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.team = TEAM
        self.app = APP
        self.domain = "tune"
        self.bot = User("U0TUNEBOT", "tunebot", "tunebot", TEAM, "B0TUNEBOT")
        self.users: dict[str, User] = {self.bot.id: self.bot}
        self.channels: dict[str, Channel] = {}
        self._numbers = count(1)
        self._last_ts = 0
        self._changed = asyncio.Event()

    def user(self, name: str, user_id: str = "", display_name: str = "") -> User:
        """A person joins the workspace."""
        user = User(user_id or self.id("U"), name, display_name or name.title(), self.team)
        self.users[user.id] = user
        return user

    def channel(
        self,
        name: str = "general",
        members: Iterable[User] = (),
        *,
        kind: str = "public",
        with_bot: bool = True,
        channel_id: str = "",
    ) -> Channel:
        """A channel of kind "public" or "private"."""
        ids = [user.id for user in members] + ([self.bot.id] if with_bot else [])
        channel = Channel(channel_id or self.id("C" if kind == "public" else "G"), kind, name, ids)
        self.channels[channel.id] = channel
        return channel

    def im(self, user: User) -> Channel:
        """The direct messages of a person and the bot; there is one of it."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.person == user.id:
                return channel
        channel = Channel(self.id("D"), "im", "", [user.id, self.bot.id])
        self.channels[channel.id] = channel
        return channel

    def id(self, prefix: str) -> str:
        """A new id, as Slack's look: U…, C…, F…."""
        return f"{prefix}0{next(self._numbers):08d}"

    def ts(self) -> str:
        """A new timestamp: made from the clock, and later than every one before."""
        self._last_ts = max(int(self.now() * 1_000_000), self._last_ts + 1)
        seconds, micros = divmod(self._last_ts, 1_000_000)
        return f"{seconds}.{micros:06d}"

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Return when the condition holds; looked at after every call and change.

        Raises TimeoutError.
        """
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def change(self) -> None:
        """Wake those who wait in `until`."""
        self._changed.set()
