"""The adapters that the configuration names, each opened by the module of its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError

from bot.config import Config
from bot.config.faults import sentence
from bot.errors import ConfigError
from bot.ports import Adapter


def load_adapters(config: Config) -> list[Adapter]:
    """The adapters that the configuration names. Raises ConfigError."""
    return [load_adapter(name, table) for name, table in config.adapters.items()]


def load_adapter(
    name: str, table: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Adapter:
    """Open [adapters.NAME] by the module of that name."""
    adapter: Adapter = module_of(name).create(name, settings_of(name, table), environment)
    return adapter


def settings_of(name: str, table: Mapping[str, Any]) -> Any:
    """[adapters.NAME] as that module has it. Raises ConfigError."""
    try:
        return module_of(name).Settings(**table)
    except ValidationError as error:
        raise ConfigError(sentence(error, None, above=f"adapters.{name}.")) from None


def module_of(name: str) -> Any:
    """The module of an adapter. Raises ConfigError."""
    if not name.isidentifier() or find_spec(f"adapters.{name}") is None:
        raise ConfigError(f"adapters.{name}: there is no such adapter; remove that table.")
    return import_module(f"adapters.{name}")
