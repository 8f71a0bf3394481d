"""The configuration: one TOML file and the environment, frozen at the start.

Keys and their defaults are described in config.example.toml. Secrets come from the environment
only; the file names the variable (`api_key_env`). Any other key may be overridden there too, as
TUNEBOT_LOG_LEVEL or TUNEBOT_DEFAULTS__PROFILE.
"""

from bot.config.loading import load
from bot.config.sections import Access, Config, Defaults, Tuning

__all__ = ["Access", "Config", "Defaults", "Tuning", "load"]
