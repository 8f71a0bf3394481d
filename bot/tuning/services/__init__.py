"""The services that run fine-tune jobs, in the dialects that are spoken: facts/fine-tuning.md."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from bot.messages import Provider
from bot.models.endpoint import Endpoint
from bot.ports import Clock
from bot.tuning.services.azure import AzureTuning
from bot.tuning.services.legacy import LegacyTuning
from bot.tuning.services.local import LocalTuning
from bot.tuning.services.openai import OpenAiTuning
from bot.tuning.services.wire import Wire

__all__ = ["services"]

DIALECTS = {
    "openai": OpenAiTuning,
    "local": LocalTuning,
    "azure": AzureTuning,
    "legacy": LegacyTuning,
}


def services(
    providers: Mapping[str, Provider],
    keys: Mapping[str, str],
    clock: Clock,
    *,
    jitter: Callable[[], float] = random.random,
) -> dict[str, OpenAiTuning]:
    """One service for each provider. Whoever owns them calls `aclose` of each.

    `keys` has the secret of each provider by its name, "" for none. A provider of kind "local" is
    busy until its `connect`.
    """

    def service(provider: Provider) -> OpenAiTuning:
        endpoint = Endpoint(provider, provider.base_url, keys.get(provider.name, "").strip())
        return DIALECTS[provider.kind](Wire(endpoint, clock, jitter))

    return {name: service(provider) for name, provider in providers.items()}
