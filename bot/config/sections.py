"""What an operator decides, as the file has it: [defaults], [access], [tuning] and all the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.messages import Price, Profile, Provider


class Section(BaseModel):
    """A table of the file: frozen, and it refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Defaults(Section):
    """[defaults]"""

    profile: str = "assistant"


class Access(Section):
    """[access]: closed unless opened. Ids are "adapter:user"; "adapter:*" and "*" match many."""

    operators: tuple[str, ...] = ("terminal:*", "page:local")
    users: tuple[str, ...] = ("terminal:*", "page:*", "http:*")
    messages_per_minute: int = Field(default=60, ge=0)
    tokens_per_day: int = Field(default=0, ge=0)


class Tuning(Section):
    """[tuning]: where jobs run unless a command says it, and what they may cost in US dollars."""

    provider: str = ""
    poll_seconds: float = Field(default=5.0, gt=0)
    most_per_job: float | None = Field(default=None, ge=0)
    most_per_month: float | None = Field(default=None, ge=0)


def named(tables: Any) -> Any:
    """Give each table of a section its own name as a field."""
    if not isinstance(tables, Mapping):
        return tables
    return {
        name: {**table, "name": name} if isinstance(table, Mapping) else table
        for name, table in tables.items()
    }


def expanded(path: Path) -> Path:
    """A path in which "~" is the person's folder."""
    return path.expanduser()


class Config(BaseSettings):
    """Everything that an operator decides."""

    model_config = SettingsConfigDict(
        env_prefix="TUNEBOT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database: Path = Path("tunebot.db")
    data_folder: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    retention_days: int = Field(default=0, ge=0)
    model_calls: int = Field(default=64, ge=1)
    shutdown_seconds: float = Field(default=20.0, ge=0)
    defaults: Defaults = Defaults()
    providers: dict[str, Provider] = Field(default_factory=dict)
    profiles: dict[str, Profile] = Field(default_factory=dict)
    prices: dict[str, Price] = Field(default_factory=dict)
    adapters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    access: Access = Access()
    tuning: Tuning = Tuning()

    _expanded = field_validator("database")(expanded)
    _named = field_validator("providers", "profiles", mode="before")(named)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic-settings calls by keyword
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file, whose tables come as arguments."""
        return env_settings, init_settings

    @property
    def profile(self) -> Profile:
        """The profile of a conversation that chose none."""
        return self.profiles[self.defaults.profile]
