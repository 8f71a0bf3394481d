"""The engines that train: each is a process of its own, which is told a spec and says events.

`bot.local.training` describes both. What differs is what they train on, and which form their
adapters have: that follows from what serves them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.config import local
from bot.errors import ConfigError
from bot.local import presence
from bot.local.jobs.database import base_of
from bot.local.jobs.folder import Folder
from bot.local.jobs.trainer import COMMAND
from bot.local.trl.fault import INSTALL
from bot.messages import Provider

PATIENCE = 60.0  # seconds for an interpreter to say what it has
NEEDED = {each: each for each in ("torch", "transformers", "peft", "trl", "gguf")}
NEEDED["bot"] = "tunebot"
LOOK = (
    "import sys, importlib.util as util\n"
    "print('\\nMISSING', *[name for name in sys.argv[1:] if util.find_spec(name) is None])"
)


@dataclass(frozen=True, slots=True)
class Engine:
    """How jobs are run: the command, to which the file of a spec is added, and what is trained."""

    command: Sequence[str]
    base: Path

    def command_for(self, base: Path) -> Sequence[str] | None:
        """What trains a base, which may be that of another configuration: a file is for numpy. None
        for another folder: what trains that is not known here.
        """
        if base == self.base:
            return self.command
        return COMMAND if can_train(self.base, base) else None


def can_train(own: Path, base: Path) -> bool:
    """Whether a server that trains `own` also trains a base: every one trains files."""
    return base == own or not os.path.isdir(base)  # noqa: PTH112 - Path's raises for strangers


def is_trained(folder: Folder, job: str) -> bool:
    """Whether a server runs that trains a job, at once or after others. Raises LocalUnavailable."""
    base = base_of(folder.database, job)
    return any(
        server.base and (not base or can_train(Path(server.base), Path(base)))
        for server in presence.servers(folder.servers)
    )


def numpy(_provider: Provider, served: Path | None) -> Engine:
    """Trains on the GGUF file that is served."""
    assert served is not None  # noqa: S101 - vllm_url needs another engine: bot.config
    return Engine(COMMAND, served)


def trl(provider: Provider, served: Path | None) -> Engine:
    """Trains on a model folder; for llama.cpp where that serves a file. Raises ConfigError."""
    folder, python = model_folder(provider), interpreter(provider)
    beside = ("--beside", str(served)) if served else ()
    return Engine((python, "-P", "-m", "bot.local.trl", *beside), folder)


ENGINES: Mapping[str, Callable[[Provider, Path | None], Engine]] = {"numpy": numpy, "trl": trl}


def model_folder(provider: Provider) -> Path:
    """The folder that `model_folder` names, once it is seen to hold a model."""
    key = f"providers.{provider.name}.model_folder"
    folder = local.model_folder(provider)
    if not folder.is_dir():
        raise ConfigError(f"{key}: {folder} is not a folder; name that of a Hugging Face model.")
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"{key}: {folder} has no config.json; name the folder of a Hugging Face model."
        )
    if not any(folder.glob("*.safetensors")):
        raise ConfigError(
            f"{key}: {folder} has no *.safetensors; other formats can run code and are not read."
        )
    return folder


def interpreter(provider: Provider) -> str:
    """The Python that trains, once it is seen to have what that needs."""
    key = f"providers.{provider.name}"
    python = shutil.which(os.path.expanduser(provider.python or sys.executable))  # noqa: PTH111
    if python is None:
        raise ConfigError(
            f"{key}.python: {provider.python} is no program; name the python of an environment "
            f"with tunebot[local-gpu], or remove the key for this one."
        )
    try:
        asked = subprocess.run(  # noqa: S603 - the operator's own
            [python, "-P", "-c", LOOK, *NEEDED],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{key}.python: {python} is no Python that runs ({error}).") from None
    _, found, names = asked.stdout.rpartition("\nMISSING")  # after what it may greet with
    if not found or not {*names.split()} <= NEEDED.keys():
        raise ConfigError(
            f"{key}.python: {python} is no Python that runs (it does not answer as one); name that "
            f"of an environment with tunebot[local-gpu]."
        )
    if missing := [NEEDED[name] for name in names.split()]:
        where = f"{key}.python" if provider.python else f"{key}.engine"
        raise ConfigError(
            f"{where}: {python} has no {', '.join(missing)}; {INSTALL} there, or set engine to "
            f'"numpy".'
        )
    return python
