"""The adapter: one bot in one workspace, taking messages in and making the sinks for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count

import structlog
from slack_bolt.authorization import AuthorizeResult

from adapters.slack import Settings
from adapters.slack.account import Account
from adapters.slack.api import Api, Json
from adapters.slack.checks import checks
from adapters.slack.door import open_door
from adapters.slack.failures import SlackRefused, TokenRefused
from adapters.slack.files import Files
from adapters.slack.hearing import Hearing
from adapters.slack.intake import Intake, backoff
from adapters.slack.interactions import Interactions
from adapters.slack.names import Names
from adapters.slack.pacer import Pacer
from adapters.slack.reception import Reception
from adapters.slack.sink import LIMITS, sink_for
from adapters.slack.sockets import LONGEST_BACKOFF, OUT_OF_REACH, Sockets
from bot.errors import ConfigError, DeliveryError
from bot.messages import ReplyTo
from bot.ports import Check, Clock, Core, Door, Knock, Opened, Signature, Sink, SystemClock

log = structlog.get_logger()


class Slack:
    """A bot at Slack. `proof` is what says that events are Slack's: the app-level token, or for
    HTTP the signing secret.
    """

    def __init__(
        self, name: str, settings: Settings, token: str, proof: str, clock: Clock | None
    ) -> None:
        self.name = name
        self.limits = LIMITS
        self._settings = settings
        self._token = token
        self._proof = proof
        clock = clock or SystemClock()
        self._account = Account(
            Api(settings.api_url, token, settings.timeout),
            Pacer(clock, settings.channel_rate),
            clock,
            name=name,
            streams=settings.streams,
            feedback=settings.feedback,
        )
        self._reception: Reception | None = None
        self._sockets: Sockets | None = None

    async def run(self, core: Core) -> None:
        """Take messages in. Raises ConfigError where Slack refuses the token."""
        account, settings = self._account, self._settings
        who = await begin(account, self._token)
        names = Names(self._name_of, account.clock)
        interactions = Interactions(core, account, names, settings)
        intake = Intake(
            core,
            account,
            Hearing(self.name, account.bot_user, core.commands, names, settings.direct),
            self._files(core),
            interactions,
            self.sink,
            mentions_only=settings.threads == "mentions",
        )
        reception = Reception(self.name, core, account.api.client, who, intake.take)
        interactions.register(reception.app)
        account.stopped = intake.stop
        try:
            left = await core.shelved(self.name)
            interactions.resumes(left)
            for event in left:
                intake.take(event)
            self._reception = reception
            if settings.mode == "http":
                log.info("Slack may post", door=f"/{self.name}")
                await asyncio.Event().wait()
            else:
                self._sockets = Sockets(account, self._proof, reception, settings.sockets)
                await self._sockets.run()
        finally:
            self._reception = self._sockets = None
            for each in (reception, intake, interactions, names):
                await each.close()

    def _files(self, core: Core) -> Files:
        settings, account = self._settings, self._account
        return Files(
            account.api,
            settings.api_url,
            core.files,
            account.clock,
            settings.max_file,
            settings.timeout,
        )

    async def _name_of(self, user: str) -> str:
        return name_of(await self._account.api.user(user))

    @property
    def doors(self) -> Sequence[Door]:
        """Where Slack posts, if it is asked to."""
        if self._settings.mode != "http":
            return ()
        return (Door(f"/{self.name}", Signature("slack", self._proof), self._open),)

    async def _open(self, knock: Knock) -> Opened:
        reception = self._reception
        return await open_door(reception, knock) if reception else Opened(503)

    @property
    def people(self) -> Sequence[str]:
        """What the ids of its people begin with."""
        return (self.name,)

    @property
    def opens_doors(self) -> bool:
        """There is no server here."""
        return False

    @property
    def trouble(self) -> str:
        """Why nothing comes in just now."""
        return self._account.trouble or (self._sockets.trouble if self._sockets else "")

    def sink(self, to: ReplyTo) -> Sink:
        """A fresh writer for one reply."""
        return sink_for(self._account, to)

    async def close(self) -> None:
        """Close the connections."""
        await self._account.api.close()

    async def check(self) -> Sequence[Check]:
        """The tokens, the scopes, and the way on which messages come."""
        return await checks(self.name, self._settings, self._account.api, self._proof)


async def begin(account: Account, token: str) -> AuthorizeResult:
    """Who the bot is, once Slack answers. Raises ConfigError where it refuses the token."""
    for attempt in count():
        try:
            me = await account.api.auth_test()
        except (TokenRefused, SlackRefused) as error:
            raise ConfigError(str(error)) from None
        except DeliveryError as error:
            if not account.trouble:
                log.warning(OUT_OF_REACH, reason=type(error).__name__)
            account.trouble = OUT_OF_REACH
            wait = max(error.retry_after or 0.0, backoff(attempt, LONGEST_BACKOFF))
            await account.clock.sleep(wait)
        else:
            if account.trouble:
                log.info("Slack answers again.")
            account.trouble = ""
            account.team, account.bot_user = str(me["team_id"]), str(me["user_id"])
            account.bot_id = str(me.get("bot_id", ""))
            return who(me, token)
    raise AssertionError


def who(me: Json, token: str) -> AuthorizeResult:
    """The same for Bolt."""
    return AuthorizeResult(
        enterprise_id=me.get("enterprise_id"),
        team_id=me["team_id"],
        bot_user_id=me["user_id"],
        bot_id=me.get("bot_id"),
        bot_token=token,
    )


def name_of(user: Json) -> str:
    """What a person wants to be called, as Slack shows it."""
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("name"))
    return next((f"{name}" for name in names if name), "")
