"""Taking one wheel from the package index with pip, so that the index, the proxy, the certificates
and the passwords are those that the person has configured for pip.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import shorten
from typing import cast

from bot.errors import LocalUnavailable
from bot.local.unavailable import INSTALL, unavailable

SCRIPT = Path(__file__).with_name("wheel.py")
REFUSED = 1  # the status of pip where it says why
RESUMES = "20"
LOOK = 0.2  # seconds between two looks at how much has arrived


async def download(
    requirement: str, digest: str, folder: Path, done: Callable[[int], None]
) -> Path:
    """Fetch the wheel of a pinned requirement ("name==version") into a folder.

    What an earlier try has left there (`part`) is gone on with. `digest` is its SHA-256; `done` is
    told the bytes that have arrived. Raises LocalUnavailable.
    """
    wheel = folder / part(digest)
    went_on = wheel.exists()
    if went_on and await asyncio.to_thread(has_digest, wheel, digest):
        return wheel
    status, output = await run([sys.executable, "-P", SCRIPT, requirement, wheel], folder, done)
    if status == REFUSED:
        raise failure(requirement, output)
    if status != 0:
        wheel.unlink(missing_ok=True)
        return await whole(requirement, digest, folder, done)
    if await asyncio.to_thread(has_digest, wheel, digest):
        return wheel
    wheel.unlink()
    if went_on:  # what was there may have been wrong
        return await download(requirement, digest, folder, done)
    raise another(requirement)


def part(digest: str) -> str:
    """The name of what has arrived of a wheel."""
    return f"{digest}.whl"


def has_digest(file: Path, digest: str) -> bool:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == digest


async def whole(requirement: str, digest: str, folder: Path, done: Callable[[int], None]) -> Path:
    """The wheel by `pip download`, from its beginning: links to files, and pips that are not as
    expected.
    """
    pins = folder / "requirements.txt"
    pins.write_text(f"{requirement} --hash=sha256:{digest}\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", "--quiet"]
    status, output = await run(
        [sys.executable, "-P", "-m", "pip", "download", *options, "-r", pins, "-d", folder],
        folder,
        done,
    )
    if status != 0:
        raise failure(requirement, output)
    return wheels_in(folder)[0]


async def run(
    command: list[str | Path], folder: Path, done: Callable[[int], None]
) -> tuple[int, str]:
    """Run pip, which keeps what has arrived in `folder`: its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,  # it ends when we do
        stdout=PIPE,
        stderr=STDOUT,
        # A connection that breaks is gone on with from where it was, by a pip that can (25.1).
        env={"PIP_RESUME_RETRIES": RESUMES, **os.environ, "TMPDIR": f"{folder}"},
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(tell(folder, done), name="download progress")
            output = await cast(asyncio.StreamReader, process.stdout).read()
            status = await process.wait()
            watch.cancel()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return status, output.decode(errors="replace")


async def tell(folder: Path, done: Callable[[int], None]) -> None:
    """Tell how many bytes are in a folder, until cancelled."""
    while True:
        done(max(map(size, wheels_in(folder)), default=0))  # pip copies it at the end
        await asyncio.sleep(LOOK)


def wheels_in(folder: Path) -> list[Path]:
    """The wheels in a folder and below it; pip begins them in a folder of its own, and takes that
    away at any time, which os.walk passes over.
    """
    return [
        Path(inside, name)
        for inside, _, names in os.walk(folder)
        for name in names
        if name.endswith(".whl")
    ]


def size(file: Path) -> int:
    with suppress(OSError):  # pip moves it meanwhile
        return file.stat().st_size
    return 0


def another(requirement: str) -> LocalUnavailable:
    return unavailable(
        f"the package index sent a {requirement} that is not the one that tunebot knows",
        "check the index that pip is configured for",
    )


def failure(requirement: str, output: str) -> LocalUnavailable:
    """What pip's output means. The wording is that of pip 23 to 26."""
    if "No module named pip" in output:
        return unavailable("pip, which fetches the model, is missing", INSTALL)
    if "DO NOT MATCH THE HASHES" in output:
        return another(requirement)
    if "No space left" in output:
        return unavailable("the disk is full", "set data_folder to a place with room")
    if "connection broke" in output or "timed out" in output:
        return unavailable("the package index cannot be reached", "try again with a network")
    errors = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    said = errors[-1].removeprefix("ERROR: ") if errors else output.strip() or "it said nothing"
    return unavailable(
        f"pip could not fetch {requirement} ({shorten(said, 200)})",
        "check the index that pip is configured for",
    )
