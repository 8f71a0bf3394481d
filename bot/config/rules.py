"""What cannot work as it is written: each rule raises a sentence with the key and the remedy."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.config.faults import unknown
from bot.config.local import model_folder
from bot.config.sections import Config
from bot.errors import ConfigError
from bot.messages import Profile, Provider

MOST_STOPS = 4  # OpenAI takes no more: facts/fine-tuning.md


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
