"""A Hugging Face folder: its model and its tokenizer, as files that are read and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from bot.local.training import memory
from bot.local.training.fault import TrainingFault

HERE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


class Read(NamedTuple):
    """A model with what belongs to it, of transformers' types."""

    config: Any  # that of its text, where a model has several parts
    model: Any
    tokenizer: Any


def load(folder: Path) -> Read:
    """Read a folder: in half precision on a GPU that can, in single precision elsewhere. It is read
    to where it computes, so that it need not fit into the machine's own memory before.

    Raises TrainingFault where transformers cannot read it, or where it does not fit.
    """
    if not folder.is_dir():
        raise TrainingFault("invalid_model", f"{folder} is not a folder.")
    try:
        config = AutoConfig.from_pretrained(folder, **HERE)
        tokenizer = AutoTokenizer.from_pretrained(folder, **HERE)
        on_gpu = torch.cuda.is_available()
        if not on_gpu:
            memory.need(weights(config))
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype(),
            device_map="cuda:0" if on_gpu else None,
            use_safetensors=True,
            **HERE,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:  # the last of a quantised one
        reason = str(error).strip().partition("\n")[0]
        raise TrainingFault(
            "invalid_model", f"transformers cannot read a language model from {folder}: {reason}"
        ) from None
    return Read(config.get_text_config(), model, tokenizer)


def weights(config: Any) -> int:
    """How many weights a model has."""
    with torch.device("meta"):
        return int(AutoModelForCausalLM.from_config(config).num_parameters())


def dtype() -> torch.dtype:
    on_gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if on_gpu else torch.float32


def longest(config: Any, asked: int) -> int:
    """Tokens of a row: what is asked for, unless the model reads less."""
    return min(asked, getattr(config, "max_position_embeddings", None) or asked)
