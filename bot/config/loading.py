"""From a file and the environment to a configuration with which a bot can start."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from bot.config.faults import sentence
from bot.config.keys import secret
from bot.config.rules import require_profile, require_provider
from bot.config.sections import Config
from bot.config.usual import complete
from bot.errors import ConfigError


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of a file, or with None the default one: a local model, on this machine.

    Raises ConfigError with one line that names the key and the remedy.
    """
    tables = read(path) if path else {}
    try:
        config = Config(**tables)
    except ValidationError as error:
        raise ConfigError(sentence(error, path)) from None
    except SettingsError as error:
        raise ConfigError(
            f"environment: {error}; write tables and lists there as JSON, as in "
            f"TUNEBOT_ACCESS__USERS='[\"*\"]'."
        ) from None
    try:
        config = complete(config)
        for profile in config.profiles.values():
            require_profile(config, profile)
        for provider in config.providers.values():
            require_provider(provider)
            secret(provider, environment)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from None
    return config


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; copy config.example.toml there, or leave --config out."
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a folder; name the file in it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); make it a readable UTF-8 file."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; mend that line.") from None
