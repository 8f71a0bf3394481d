"""Voice messages become text before anybody answers them."""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import CommandError
from bot.messages import Provider
from bot.models.client import HttpModelClient
from bot.store.inbox import Received

DEAF = (
    "I cannot listen to voice messages: write it, please. My operator can set transcription under "
    "[providers.NAME] in the configuration."
)
SILENT = "I could not make out a word in that voice message: write it, please."


class Voice:
    """Has recordings written down by the first provider that can."""

    def __init__(self, client: HttpModelClient, providers: Iterable[Provider]) -> None:
        self._client = client
        self._provider = next((each for each in providers if each.transcription), None)

    async def transcript(self, message: Received) -> str:
        """What is said in a message's recordings; "" when it has none.

        Raises ModelError, or CommandError where nothing can be made of them.
        """
        recordings = [each for each in message.attachments if each.is_speech]
        if not recordings:
            return ""
        if self._provider is None:
            raise CommandError(DEAF)
        provider = self._provider
        texts = [
            await self._client.transcribe(provider.name, provider.transcription, each)
            for each in recordings
        ]
        if not any(texts):
            raise CommandError(SILENT)
        return "\n\n".join(filter(None, texts))
