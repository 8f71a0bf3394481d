"""A whole Slack: the Web API, what the bot is told, and the people who do it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from tests.slack_server import people_control
from tests.slack_server.delivery import Delivery, Sleep
from tests.slack_server.people import Person
from tests.slack_server.server import SlackServer
from tests.slack_server.values import User

assert people_control, "importing it registers its actions"


class Slack(SlackServer):
    """A SlackServer with people: `async with Slack() as slack: slack.person("ann").says(…)`.

    `sleep` belongs to `now`: the clock on which deliveries are made again. `subscriptions` are the
    bot_events of the app's manifest, None for all of them. The rest is as for SlackServer.
    """

    delivery: Delivery

    def __init__(
        self,
        *,
        sleep: Sleep = asyncio.sleep,
        subscriptions: Collection[str] | None = None,
        **server: Any,
    ) -> None:
        super().__init__(
            delivery=lambda slack: Delivery(slack, sleep=sleep, subscriptions=subscriptions),
            **server,
        )

    def person(self, name: str) -> Person:
        """The person of that name, who joins the workspace if they are not there."""
        known = (user for user in self.workspace.users.values() if user.name == name)
        return Person(self.delivery, next(known, None) or self.workspace.user(name))

    def integration(self, name: str) -> Person:
        """Another app of that name. What it says comes from a bot."""
        user_id, bot_id = self.workspace.id("U"), self.workspace.id("B")
        user = User(user_id, name, name.title(), self.workspace.team, bot_id)
        self.workspace.users[user_id] = user
        return Person(self.delivery, user)
