"""This machine: where data is kept, what a local provider serves, and what it trains on."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from bot.config.sections import Config
from bot.messages import Provider

LOCAL_MODEL = "smollm2-135m-instruct"


def data_folder(config: Config) -> Path:
    """Where models and files are kept."""
    return (
        Path(config.data_folder).expanduser().absolute()
        if config.data_folder
        else user_data_path("tunebot")
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
