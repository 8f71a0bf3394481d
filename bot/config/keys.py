"""The keys of providers, which are in the environment only."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from bot.config.sections import Config
from bot.errors import ConfigError
from bot.messages import Provider


def keys_of(config: Config, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The keys of all providers. Raises ConfigError when one is missing."""
    return {name: secret(provider, environment) for name, provider in config.providers.items()}


def secret(provider: Provider, environment: Mapping[str, str] = os.environ) -> str:
    """The provider's key, "" where it needs none. Raises ConfigError when it is missing."""
    if not provider.api_key_env:
        return ""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", provider.api_key_env):
        raise ConfigError(  # without the value: it may be the key itself
            f"providers.{provider.name}.api_key_env: not the name of an environment variable; "
            f"export the key under a name such as OPENAI_API_KEY and write that name here."
        )
    key = environment.get(provider.api_key_env, "").strip()
    if not key:
        raise ConfigError(
            f"providers.{provider.name}.api_key_env: {provider.api_key_env} is not set; "
            f'export it, or write api_key_env = "" for a server without keys.'
        )
    if not key.isascii() or not key.isprintable():
        raise ConfigError(
            f"providers.{provider.name}.api_key_env: {provider.api_key_env} holds characters that "
            f"no key has; copy it again."
        )
    return key
