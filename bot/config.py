"""The configuration: one TOML file and the environment, frozen at the start.

Keys and their defaults are described in config.example.toml. Secrets come from the environment
only; the file names the variable (`api_key_env`). Any other key may be overridden there too, as
TUNEBOT_LOG_LEVEL or TUNEBOT_DEFAULTS__PROFILE.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.errors import ConfigError
from bot.messages import OPENAI_URL, Price, Profile, Provider

LOCAL_MODEL = "smollm2-135m-instruct"
MOST_STOPS = 4  # OpenAI takes no more: facts/fine-tuning.md


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


def local_model(provider: Provider) -> str:
    """The name of the model that a local provider serves."""
    if provider.vllm_url:
        return model_folder(provider).name
    return Path(provider.model_file).stem if provider.model_file else LOCAL_MODEL


def model_folder(provider: Provider) -> Path:
    """The whole path of the folder that a local provider trains on, so that it has a name."""
    folder = os.path.expanduser(provider.model_folder)  # noqa: PTH111 - Path's raises for strangers
    return Path(os.path.abspath(folder))  # noqa: PTH100 - without following links


def is_local(providers: Mapping[str, Provider], profile: Profile) -> bool:
    """Whether a profile's model runs on this machine, where an answer costs nothing."""
    provider = providers.get(profile.provider)
    return provider is not None and provider.kind == "local"


def with_usual_key(provider: Provider) -> Provider:
    """OpenAI itself never answers without a key, and its name is known."""
    if provider.api_key_env or provider.base_url != OPENAI_URL or provider.kind != "openai":
        return provider
    return replace(provider, api_key_env="OPENAI_API_KEY")


def require_provider(provider: Provider) -> None:
    """Raise ConfigError when a provider cannot work as it is written."""
    key = f"providers.{provider.name}"
    if not provider.base_url.startswith(("http://", "https://")):
        raise ConfigError(
            f"{key}.base_url: {provider.base_url!r} is no address; begin with https://."
        )
    for name in ("connect_timeout", "idle_timeout", "slots"):
        if getattr(provider, name) <= 0:
            raise ConfigError(f"{key}.{name}: {getattr(provider, name)}; it must be above 0.")
    if provider.slot_context < 256:
        raise ConfigError(f"{key}.slot_context: {provider.slot_context}; at least 256 tokens.")
    require_engine(key, provider)


def require_engine(key: str, provider: Provider) -> None:
    """Raise ConfigError when what trains and what serves do not go together."""
    if provider.engine == "numpy":
        for name in ("model_folder", "vllm_url", "python"):
            if getattr(provider, name):
                raise ConfigError(
                    f'{key}.{name}: only engine = "trl" uses it; set that too, or remove it.'
                )
        return
    if provider.kind != "local":
        raise ConfigError(f'{key}.engine: only kind = "local" trains here; remove it.')
    if not provider.model_folder:
        raise ConfigError(
            f'{key}.model_folder: engine = "trl" trains on a Hugging Face folder; name it here.'
        )
    if provider.model_file and provider.vllm_url:
        raise ConfigError(
            f"{key}.vllm_url: llama.cpp serves model_file, or vLLM model_folder; remove one."
        )
    if not provider.model_file and not provider.vllm_url:
        raise ConfigError(
            f"{key}.model_file: name the GGUF file of the model in model_folder, which llama.cpp "
            f"serves, or the vllm_url of a vLLM that serves that folder."
        )
    if not model_folder(provider).name:
        raise ConfigError(
            f"{key}.model_folder: {provider.model_folder!r} has no name, which is that of its "
            f"model; name the folder itself."
        )
    if provider.vllm_url and not is_address(provider.vllm_url):
        raise ConfigError(
            f"{key}.vllm_url: {provider.vllm_url!r} is no address; write http://127.0.0.1:8000/v1."
        )


def is_address(url: str) -> bool:
    """Whether a text is the address of a server."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and url.isprintable() and " " not in url


def require_profile(config: Config, profile: Profile) -> None:
    """Raise ConfigError when a profile cannot work as it is written."""
    key = f"profiles.{profile.name}"
    if profile.provider not in config.providers:
        found = unknown(profile.provider, config.providers, "provider")
        raise ConfigError(f"{key}.provider: {found}")
    for parameter in ("model", "messages", "prompt", "stream", "stream_options"):
        if parameter in profile.params:
            raise ConfigError(f"{key}.params.{parameter}: tunebot sets it itself; remove it there.")
    if "stop" in profile.params:
        raise ConfigError(f"{key}.params.stop: write it as {key}.stop, so that it is trimmed too.")
    if len(profile.stop) > MOST_STOPS:
        raise ConfigError(
            f"{key}.stop: {len(profile.stop)} stop sequences; at most 4 are possible."
        )
    if "" in profile.stop:
        raise ConfigError(f"{key}.stop: an empty stop sequence would end every answer; remove it.")
    require_abilities(key, profile)
    if profile.history < 1:
        raise ConfigError(
            f"{key}.history: {profile.history}; at least the newest turn must be sent."
        )
    if profile.context < 0:
        raise ConfigError(f"{key}.context: {profile.context}; write the window in tokens, or 0.")


def require_abilities(key: str, profile: Profile) -> None:
    """Raise ConfigError for what a completions model cannot do."""
    for ability in ("summarise", "vision"):
        if getattr(profile, ability) and profile.api == "completions":
            raise ConfigError(
                f"{key}.{ability}: only a chat model can; set it to false for completions."
            )


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


def unknown(name: str, known: Mapping[str, Any], what: str) -> str:
    """A sentence about a name that is not there, with the nearest that is."""
    nearest = get_close_matches(name, known, n=1)
    remedy = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(known) or 'none'}."
    return f"no {what} named {name!r}; {remedy}"


def sentence(error: ValidationError, path: Path | None, above: str = "") -> str:
    """The first fault that pydantic found, as one line that names the key and the remedy."""
    fault = error.errors()[0]
    key = above + ".".join(str(part) for part in fault["loc"] if part != "[key]")
    others = len(error.errors()) - 1
    more = f" ({others} more to mend)" if others else ""
    place = f"{path}: " if path else ""
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{place}{key}: no such key; {nearest_key(str(fault['loc'][-1]))}{more}."
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place}{key}: this key is required; config.example.toml shows it{more}."
    rule = fault["msg"][0].lower() + fault["msg"][1:]
    for ours, theirs in RULES.items():
        rule = re.sub(theirs, ours, rule)
    value = repr(fault["input"])
    value = value if len(value) <= 60 else f"{value[:57]}…"
    return f"{place}{key}: {rule}, not {value}{more}."


# pydantic speaks of Python's types, people who write TOML of its own.
RULES = {
    "a list": r"a valid tuple|a valid list",
    "a table": r"a valid dictionary|a dictionary or an instance of \w+",
    "text": r"a valid string",
    "a whole number": r"a valid integer(, unable to parse.*)?",
    "a number": r"a valid number(, unable to parse.*)?",
    "true or false": r"a valid boolean(, unable to interpret.*)?",
}


def nearest_key(name: str) -> str:
    """What was probably meant by a key that does not exist."""
    if name in ("api_key", "token", "key", "secret"):
        return "secrets come from the environment: api_key_env names the variable"
    sections = (Config, Defaults, Access, Tuning)
    known = {name for section in sections for name in section.model_fields}
    known |= {field.name for kind in (Provider, Profile, Price) for field in fields(kind)}
    nearest = get_close_matches(name, known - {"name"}, n=1)
    return f"did you mean {nearest[0]!r}" if nearest else "config.example.toml lists them all"
