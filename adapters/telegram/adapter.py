"""The adapter: one bot's account, taking messages in and making the sinks for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from telegram import User
from telegram.error import BadRequest, InvalidToken

from adapters.telegram import Settings
from adapters.telegram.account import Account
from adapters.telegram.addressed import Me
from adapters.telegram.api import REFUSED, WANTED, Api
from adapters.telegram.checks import checks
from adapters.telegram.commands import Menus, menus, operators_of
from adapters.telegram.files import Files
from adapters.telegram.intake import Intake
from adapters.telegram.joined import Joiner
from adapters.telegram.ledger import Ledger
from adapters.telegram.moves import Moves
from adapters.telegram.pacer import Pacer, Rates
from adapters.telegram.patience import insist
from adapters.telegram.place import place_of
from adapters.telegram.poller import Poller
from adapters.telegram.private import PrivateSink
from adapters.telegram.shelf import Shelf
from adapters.telegram.sink import LIMITS, TelegramSink
from adapters.telegram.updates import Reader
from adapters.telegram.webhook import Webhook
from bot.errors import ConfigError
from bot.messages import ReplyTo
from bot.ports import Check, Clock, Core, Door, Knock, Opened, SecretHeader, Sink, SystemClock

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name


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
        self._account = Account(self._api, pacer, Ledger(), Moves(name), clock, settings.drafts)
        self._webhook: Webhook | None = None

    async def run(self, core: Core) -> None:
        """Take messages in. Raises ConfigError where Telegram refuses the token."""
        me = await insist(self._me, self._account)
        shelf, intake = Shelf(core, self.name, me.id), self._new_intake(core, me)
        shown = menus(core.commands, operators_of(self.name, core.operators))
        listing = asyncio.create_task(Menus(self._api, self._clock).show(shown), name="menus")
        try:
            await self._account.moves.begin(core)
            intake.take(await shelf.left())
            if self._settings.mode == "webhook":
                await self._be_called(Webhook(shelf, intake))
            else:
                await insist(self._api.delete_webhook, self._account)
                await Poller(self._account, shelf, intake).run()
        finally:
            listing.cancel()
            await asyncio.gather(listing, intake.close(), return_exceptions=True)

    async def _me(self) -> User:
        """Who the bot is."""
        try:
            return await self._api.get_me()
        except InvalidToken:
            raise ConfigError(REFUSED) from None

    def _new_intake(self, core: Core, me: User) -> Intake:
        return Intake(
            core,
            self._account,
            Reader(self.name, Me(me.id, (me.username or "").lower())),
            Joiner(self._clock, self._settings.split_seconds),
            Files(self._api, core.files, self._clock),
        )

    async def _be_called(self, webhook: Webhook) -> None:
        """Take in what Telegram posts."""
        self._webhook = webhook
        try:
            await insist(self._announce, self._account)
            await asyncio.Event().wait()
        finally:
            self._webhook = None
            await webhook.close()

    async def _announce(self) -> bool:
        try:
            return await self._api.set_webhook(
                self._address, secret_token=self._secret, allowed_updates=WANTED
            )
        except BadRequest as error:
            raise ConfigError(
                f"Telegram refuses adapters.{self.name}.webhook_url: {error.message}."
            ) from None

    @property
    def _address(self) -> str:
        """Where Telegram calls; "" for polling."""
        if self._settings.mode == "polling":
            return ""
        return f"{self._settings.webhook_url.rstrip('/')}/{self.name}"

    @property
    def doors(self) -> Sequence[Door]:
        """Where Telegram calls, if it is asked to."""
        if not self._address:
            return ()
        return (Door(f"/{self.name}", SecretHeader(SECRET_HEADER, self._secret), self._open),)

    async def _open(self, knock: Knock) -> Opened:
        """An update, while there is somebody to take it."""
        return await self._webhook.open(knock) if self._webhook else Opened(503)

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
        """Why no messages come in just now."""
        return self._account.trouble

    def sink(self, to: ReplyTo) -> Sink:
        """A fresh writer for one reply."""
        if to.private and to.person and not place_of(to).private:
            return PrivateSink(self._account, to)
        return TelegramSink(self._account, to, feedback=self._settings.feedback)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.leave()

    async def check(self) -> Sequence[Check]:
        """Token, privacy mode and the way on which messages come."""
        return await checks(self.name, self._api, self._address)
