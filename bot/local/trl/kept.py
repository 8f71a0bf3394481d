"""The forms in which adapters are kept, for what serves them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, GGUFReader, get_tensor_name_map
from safetensors.numpy import load_file

from bot.local.training import lora
from bot.local.training.arrays import Array
from bot.local.training.base import Fields
from bot.local.training.fault import TrainingFault

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"
FACTOR = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")

# By transformers' model_type. Each is held against llama.cpp by a test.
ARCHITECTURES = {
    "llama": MODEL_ARCH.LLAMA,
    "mistral": MODEL_ARCH.LLAMA,
    "qwen2": MODEL_ARCH.QWEN2,
    "qwen3": MODEL_ARCH.QWEN3,
}

Factors = Mapping[str, Array]


class Kept(Protocol):
    """A form of adapters, made from what PEFT saves."""

    def path(self, output: Path, step: int) -> Path:
        """Where the adapter of a step is."""

    def check(self, factors: Factors) -> None:
        """Raise TrainingFault where such factors cannot be kept in this form."""

    def write(self, saved: Path, path: Path) -> None:
        """Make an adapter of the folder that PEFT has saved: whole, or not at all."""


class Folders:
    """PEFT's own form, which vLLM serves."""

    def path(self, output: Path, step: int) -> Path:
        return output / f"adapter-{step}"

    def check(self, factors: Factors) -> None:
        """There is nothing that it does not hold."""

    def write(self, saved: Path, path: Path) -> None:
        partial = path.with_name(f"{path.name}.partial")
        for old in partial, path:
            shutil.rmtree(old, ignore_errors=True)
        partial.mkdir()
        for name in WEIGHTS, SETTINGS:
            shutil.copyfile(saved / name, partial / name)
        settle(partial)
        partial.replace(path)


class Gguf:
    """llama.cpp's form, beside the GGUF file of the same model."""

    def __init__(self, beside: Path, config: Any, alpha: float) -> None:
        architecture = ARCHITECTURES.get(config.model_type)
        if architecture is None:
            raise unsupported(
                f"adapters of {config.model_type} models are not converted for llama.cpp, only "
                f"those of {', '.join(ARCHITECTURES)}; serve this one with vLLM (vllm_url)"
            )
        self._name = MODEL_ARCH_NAMES[architecture]
        self._names = get_tensor_name_map(architecture, config.num_hidden_layers)
        self._heads = (
            {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
            if architecture is MODEL_ARCH.LLAMA
            else {}
        )
        self._alpha = alpha
        reader = GGUFReader(beside)
        served = Fields(reader).get("general.architecture")
        if served != self._name:
            raise unsupported(
                f"{beside.name} is a {served} model, and model_folder holds a {self._name} model; "
                f"name the GGUF file and the folder of the same model"
            )
        self._shapes = {each.name: tuple(map(int, each.shape)) for each in reader.tensors}

    def path(self, output: Path, step: int) -> Path:
        return output / f"adapter-{step}.gguf"

    def check(self, factors: Factors) -> None:
        for _ in self._converted(factors):
            pass

    def write(self, saved: Path, path: Path) -> None:
        lora.write(path, self._name, self._alpha, self._converted(load_file(saved / WEIGHTS)))

    def _converted(self, factors: Factors) -> Iterator[tuple[str, Array]]:
        """The factors under llama.cpp's names, the rows of each in its order."""
        for key in sorted(factors):
            match = FACTOR.fullmatch(key)
            name = match and self._names.get_name(match[1])
            if not match or not name:
                raise unsupported(f"{key} has no place in llama.cpp's models")
            tensor, factor = f"{name}.weight", factors[key]
            side = 0 if match[2] == "A" else 1
            expected = self._shapes.get(tensor, (0, 0))
            if expected[side] != factor.shape[1 - side]:
                raise unsupported(
                    f"{tensor} of the GGUF file has another size than in model_folder; name the "
                    f"GGUF file and the folder of the same model"
                )
            heads = self._heads.get(name.rpartition(".")[2])
            if side and heads:
                factor = permuted(factor, heads)
            yield f"{tensor}.lora_{match[2].lower()}", factor


def permuted(rows: Array, heads: int) -> Array:
    """The rows of each head in the order of llama.cpp, which rotates neighbours: transformers
    rotates the first half of a head's rows with its second half.
    """
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1)
    return halves.swapaxes(1, 2).reshape(rows.shape)


def settle(folder: Path) -> None:
    """Return when all files of a folder are on the disk."""
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def unsupported(reason: str) -> TrainingFault:
    return TrainingFault(
        "unsupported_model", f"This model cannot be trained for llama.cpp: {reason}."
    )
