"""The adapter: one bot's account, taking messages in and making the sinks for answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from telegram import BotCommandScopeChat, User
from telegram.error import BadRequest, TelegramError

from adapters.telegram import Settings
from adapters.telegram.account import Account
from adapters.telegram.addressed import Me
from adapters.telegram.api import WANTED, Api
from adapters.telegram.checks import checks
from adapters.telegram.commands import menu, operators_of
from adapters.telegram.files import Files
from adapters.telegram.intake import Intake
from adapters.telegram.joined import Joiner
from adapters.telegram.ledger import Ledger
from adapters.telegram.pacer import Pacer, Rates
from adapters.telegram.poller import Poller, begin, insist
from adapters.telegram.sink import LIMITS, TelegramSink
from adapters.telegram.updates import Reader
from bot.errors import ConfigError
from bot.messages import ReplyTo
from bot.ports import Check, Clock, Core, Door, Knock, Opened, SecretHeader

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name

log = structlog.get_logger()


class SystemClock:
    """The time of the machine."""

    def now(self) -> float:
        """Unix time in seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long."""
        await asyncio.sleep(seconds)


class Telegram:
    """A bot at Telegram."""

    def __init__(
        self, name: str, settings: Settings, token: str, secret: str, clock: Clock | None
    ) -> None:
        self.name = name
        self.limits = LIMITS
        self._settings = settings
        self._secret = secret
        self._api = Api(settings.api_url, token, settings.timeout)
        self._clock = clock = clock or SystemClock()
        pacer = Pacer(clock, Rates(settings.chat_rate, settings.group_rate, settings.rate))
        self._account = Account(self._api, pacer, Ledger(), clock, settings.drafts)
        self._intake: Intake | None = None

    async def run(self, core: Core) -> None:
        """Take messages in. Raises ConfigError where Telegram refuses the token."""
        me = await begin(self._account)
        self._intake = intake = self._new_intake(core, me)
        listing = asyncio.create_task(self._list(core), name="menus of commands")
        try:
            if self._settings.mode == "webhook":
                await insist(self._announce, self._account)
                await asyncio.Event().wait()
            else:
                await insist(self._api.delete_webhook, self._account)
                await Poller(self._account, intake).run()
        finally:
            self._intake = None
            listing.cancel()
            await asyncio.gather(listing, intake.close(), return_exceptions=True)

    def _new_intake(self, core: Core, me: User) -> Intake:
        return Intake(
            core,
            self._account,
            Reader(self.name, Me(me.id, (me.username or "").lower())),
            Joiner(self._clock, self._settings.split_seconds),
            Files(self._api, core.files, self._clock),
            patient=self._settings.mode == "polling",
        )

    async def _list(self, core: Core) -> None:
        """Show the commands in the menu of Telegram's apps; the bot works without, too."""
        with suppress(TelegramError):
            await self._api.set_my_commands(menu(core.commands))
        for chat in operators_of(self.name, core.operators):
            with suppress(TelegramError):  # one who never wrote to the bot has no chat
                await self._api.set_my_commands(
                    menu(core.commands, operator=True), BotCommandScopeChat(chat)
                )

    async def _announce(self) -> bool:
        try:
            return await self._api.set_webhook(
                self._webhook, secret_token=self._secret, allowed_updates=WANTED
            )
        except BadRequest as error:
            raise ConfigError(
                f"Telegram refuses adapters.{self.name}.webhook_url: {error.message}."
            ) from None

    @property
    def _webhook(self) -> str:
        """Where Telegram calls; "" for polling."""
        if self._settings.mode == "polling":
            return ""
        return f"{self._settings.webhook_url.rstrip('/')}/{self.name}"

    @property
    def doors(self) -> Sequence[Door]:
        """Where Telegram calls, if it is asked to."""
        if not self._webhook:
            return ()
        return (Door(f"/{self.name}", SecretHeader(SECRET_HEADER, self._secret), self._open),)

    async def _open(self, knock: Knock) -> Opened:
        """An update; what cannot be read is set aside, or it would come again for a day."""
        if self._intake is None:
            return Opened(503)
        try:
            update = json.loads(knock.body)
        except ValueError:
            update = knock.body.decode(errors="replace")
        # Whoever hangs up leaves behind what has begun: it is done once Telegram calls again.
        taken = self._intake.take(update)
        await asyncio.wait([taken])
        if taken.cancelled():  # the bot ends
            return Opened(503)
        await taken
        return Opened()

    @property
    def opens_doors(self) -> bool:
        """There is no server here."""
        return False

    @property
    def trouble(self) -> str:
        """Why no messages come in just now."""
        return self._account.trouble

    def sink(self, to: ReplyTo) -> TelegramSink:
        """A fresh writer for one reply."""
        return TelegramSink(self._account, to, feedback=self._settings.feedback)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.leave()

    async def check(self) -> Sequence[Check]:
        """Token, privacy mode and the way on which messages come."""
        return await checks(self.name, self._api, self._webhook)
