"""A file for a channel or a thread, in Slack's three steps."""

from __future__ import annotations

from adapters.slack.account import Account
from adapters.slack.failures import Lost, SlackRefused
from adapters.slack.lookup import look
from adapters.slack.pacer import SHARE, UPLOAD_URL, Urgency
from adapters.slack.place import Place
from adapters.slack.safe import plain
from bot.errors import DeliveryRefused
from bot.messages import Document

MOST_UPLOAD = 1024**3  # bytes


class Upload:
    """One file on its way. Nobody sees it before the last step; so only that one is looked up."""

    def __init__(self, account: Account, place: Place, *, recovers: bool) -> None:
        self._account = account
        self._place = place
        self._doubtful = recovers
        self._since = float(place.message or place.asked or 0) or account.clock.now()

    async def send(self, document: Document) -> None:
        """Post it, unless it stands there already. Raises DeliveryError."""
        name = plain(document.name).replace("/", "_") or "file"
        size = len(document.content)
        if not size:
            raise DeliveryRefused(f"{name} is empty: Slack takes no empty files.")
        if size > MOST_UPLOAD:
            raise DeliveryRefused(f"{name} is larger than Slack takes, 1 GB.")
        if self._doubtful and await self._stands(name, size):
            return
        account, place = self._account, self._place
        url, file = await account.pacer.call(
            UPLOAD_URL, Urgency.FINAL, lambda: account.api.upload_url(name, size)
        )
        await account.api.upload(url, document.content)
        try:
            await account.pacer.call(
                SHARE,
                Urgency.FINAL,
                lambda: account.api.share(file, place.channel, place.thread),
            )
        except Lost:
            self._doubtful = True
            raise

    async def _stands(self, name: str, size: int) -> bool:
        try:
            standing = await look(self._account, self._place, self._since)
        except SlackRefused:
            return False
        return standing.files.get(name) == size
