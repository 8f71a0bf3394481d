"""`tunebot check`: try everything that is configured, and say what works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from difflib import get_close_matches

from bot.access import lets_in
from bot.app import model_client
from bot.config import Config
from bot.config.local import data_folder
from bot.errors import BotError, StoreTaken
from bot.local import LocalServer
from bot.messages import Profile, Provider
from bot.models.client import HttpModelClient
from bot.ports import Adapter, Check, SystemClock
from bot.store import Store


async def checks(config: Config, adapters: Sequence[Adapter]) -> AsyncIterator[Check]:
    """One line for the database, each provider, each profile and each adapter."""
    yield await database(config)
    model = model_client(config, SystemClock())
    try:
        for provider in config.providers.values():
            async for line in provider_checks(config, provider, model):
                yield line
    finally:
        await model.aclose()
    for adapter in adapters:
        try:
            for line in await adapter.check():
                yield line
        finally:
            await adapter.close()
        if not lets_in(config.access, adapter.people):
            yield Check(f"access by {adapter.name}", False, nobody(adapter.people[0]))


def nobody(people: str) -> str:
    """Why an adapter is of no use."""
    return f'[access] lets nobody in: add "{people}:*", or single people, to its users'


async def database(config: Config) -> Check:
    """Whether the database can be written."""
    what, store = f"database {config.database}", Store(config.database, SystemClock())
    try:
        await store.open()
        await store.close()
    except StoreTaken:
        return Check(what, True, "a running tunebot uses it")
    except BotError as error:
        return Check(what, False, str(error))
    return Check(what, True, "writable")


async def provider_checks(
    config: Config, provider: Provider, model: HttpModelClient
) -> AsyncIterator[Check]:
    """Whether a provider answers, and has the models of its profiles."""
    local = provider.kind == "local"
    server = LocalServer(provider, data_folder(config), trains=False) if local else None
    what = f"provider {provider.name}"
    served: list[str] | None = None
    try:
        if server:
            await server.start()
            model.connect(provider.name, server.base_url, server.key)
        served = await model.models(provider.name)
    except BotError as error:
        yield Check(what, False, str(error))
    else:
        yield Check(what, True, "answers")
    finally:
        if server:
            await server.stop()
    for profile in config.profiles.values():
        if profile.provider == provider.name:
            yield has_model(profile, served)


def has_model(profile: Profile, served: Sequence[str] | None) -> Check:
    """Whether a profile's model is among those that its provider lists; None lists nothing."""
    what = f"profile {profile.name}"
    if served is None:
        return Check(what, False, f"not tried: {profile.provider} does not answer")
    if profile.model in served:
        return Check(what, True, f"{profile.model} is there")
    nearest = get_close_matches(profile.model, served, n=1)
    remedy = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return Check(what, False, f"{profile.provider} has no model {profile.model!r}{remedy}")
