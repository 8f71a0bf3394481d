"""The GGUF file of a low-rank adapter, as llama.cpp loads it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

from bot.local.training.arrays import Array
from bot.local.training.atomic import replacing


def write(
    path: Path, architecture: str, alpha: float, factors: Iterable[tuple[str, Array]]
) -> None:
    """Write an adapter; the same factors give the same bytes.

    They are named as the tensors of the base, with .lora_a [rank, in] and .lora_b [out, rank]. What
    they add to it is scaled by alpha / rank.
    """
    with replacing(path) as partial:
        writer = GGUFWriter(partial, architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for name, factor in factors:
            writer.add_tensor(name, np.ascontiguousarray(factor, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
