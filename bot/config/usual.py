"""What a person leaves out: a local provider, a profile, prices, adapters, the usual key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.config.faults import unknown
from bot.config.local import local_model
from bot.config.sections import Config
from bot.errors import ConfigError
from bot.messages import OPENAI_URL, Price, Profile, Provider


def complete(config: Config) -> Config:
    """Fill in what a person leaves out: a local provider, a profile of that name, adapters."""
    providers = {name: with_usual_key(provider) for name, provider in config.providers.items()}
    providers = providers or {"local": Provider(name="local", kind="local")}
    profiles = dict(config.profiles)
    name = config.defaults.profile
    if not profiles and name == "assistant":
        local = next((p for p in providers.values() if p.kind == "local"), None)
        if local is None:
            raise ConfigError(
                "profiles: none is configured; add [profiles.assistant] with provider and model."
            )
        profiles[name] = Profile(
            name=name,
            provider=local.name,
            model=local_model(local),
            system="You are a helpful assistant.",
            context=local.slot_context,
            # It loops and drifts into other languages unless it is held.
            params={"temperature": 0.0, "repeat_penalty": 1.1, "max_tokens": 256},
        )
    if name not in profiles:
        raise ConfigError(f"defaults.profile: {unknown(name, profiles, 'profile')}")
    tuning = config.tuning.provider
    if tuning and tuning not in providers:
        raise ConfigError(f"tuning.provider: {unknown(tuning, providers, 'provider')}")
    here = {p.model for p in profiles.values() if is_local(providers, p)}
    bases = [local_model(p) for p in providers.values() if p.kind == "local"]
    # What is tuned from a base has its price under ft: and the base's name (bot.models.prices).
    here.update(bases, (f"ft:{base}" for base in bases))
    free = {model: Price(0.0, 0.0, 0.0) for model in here}
    return config.model_copy(
        update={
            "providers": providers,
            "profiles": profiles,
            "prices": {**free, **config.prices},
            "tuning": config.tuning.model_copy(
                update={"provider": tuning or profiles[name].provider}
            ),
            "adapters": config.adapters or {"terminal": {}, "http": {}},
        }
    )


def is_local(providers: Mapping[str, Provider], profile: Profile) -> bool:
    """Whether a profile's model runs on this machine, where an answer costs nothing."""
    provider = providers.get(profile.provider)
    return provider is not None and provider.kind == "local"


def with_usual_key(provider: Provider) -> Provider:
    """OpenAI itself never answers without a key, and its name is known."""
    if provider.api_key_env or provider.base_url != OPENAI_URL or provider.kind != "openai":
        return provider
    return replace(provider, api_key_env="OPENAI_API_KEY")
