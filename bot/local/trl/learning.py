"""trl's trainers, which learn from rows of tokens whose weights we have chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from torch.nn.utils.rnn import pad_sequence
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from bot.local.training.adamw import DECAY, LONGEST_GRADIENT, rate_at
from bot.local.training.automatic import Chosen
from bot.local.training.rows import Example, Row
from bot.local.training.spec import Spec
from bot.local.trl.model import Read, dtype

UNWEIGHED = -100  # the label of a token that is not learned
ON_GPU, ON_CPU = 8192, 1024  # tokens that go through the model at once, at most
PART = 0.7  # of a GPU's free memory; the optimizer and what is lost between pieces take the rest
TILE = 32768  # logits of a token that trl has at once

WIDTH = 576  # of the model for which the learning rate was measured


class Ours:
    """What both trainers do in our way."""

    optimizer: Any
    lr_scheduler: Any = None

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The learning rate goes as in the other engine; transformers begins with a step of 0."""
        if self.lr_scheduler is None:
            self.lr_scheduler = LambdaLR(
                optimizer or self.optimizer, lambda done: rate_at(done + 1, num_training_steps, 1.0)
            )
        return self.lr_scheduler

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nobody reads one here."""


class Supervised(Ours, SFTTrainer):
    """Learns to say what has a weight."""


class Preference(Ours, DPOTrainer):
    """Learns to say one answer rather than another. Its rows are tokens already."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


def trainer_of(
    spec: Spec, chosen: Chosen, read: Read, examples: Sequence[Example], folder: str
) -> Trainer:
    """What trains a fresh adapter for a model, and is told when to save."""
    on_gpu = torch.cuda.is_available()
    most = fitting(read.config, torch.cuda.mem_get_info()[0]) if on_gpu else ON_CPU
    part = together(chosen.batch_size, examples, most)
    shared: dict[str, Any] = {
        "output_dir": folder,
        "num_train_epochs": chosen.epochs,
        "per_device_train_batch_size": part,
        "per_device_eval_batch_size": part,
        "gradient_accumulation_steps": chosen.batch_size // part,
        "learning_rate": rate_for(chosen.learning_rate, read.config.hidden_size),
        "weight_decay": DECAY,
        "max_grad_norm": LONGEST_GRADIENT,
        "seed": spec.seed,
        "data_seed": spec.seed,
        "max_length": None,
        "bf16": dtype() is torch.bfloat16,
        "fp16": False,
        "gradient_checkpointing": is_sparing(),
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # a loss that is no number is a fault
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": on_gpu,
        "remove_unused_columns": False,
    }
    adapter = LoraConfig(
        r=spec.rank,
        lora_alpha=2 * spec.rank,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    parts: dict[str, Any] = {
        "model": read.model,
        "processing_class": read.tokenizer,
        "train_dataset": dataset(examples),
        "peft_config": adapter,
    }
    if spec.kind == "preference":
        parts["args"] = DPOConfig(beta=chosen.beta, **shared)
        trainer: Trainer = Preference(data_collator=pairs, **parts)
    else:
        given = {"skip_prepare_dataset": True}
        trainer = Supervised(args=SFTConfig(dataset_kwargs=given, **shared), **parts)
    trainer.remove_callback(PrinterCallback)
    return trainer


def dataset(examples: Sequence[Example]) -> Any:
    """Rows as trl takes them."""
    if len(examples[0].rows) == 1:
        return Dataset.from_list(
            [{"input_ids": row.tokens, "labels": labels(row)} for (row,) in each_row(examples)]
        )
    return Dataset.from_list(
        [
            {
                "chosen": chosen.tokens,
                "chosen_weights": chosen.weights,
                "rejected": rejected.tokens,
                "rejected_weights": rejected.weights,
            }
            for chosen, rejected in each_row(examples)
        ]
    )


def each_row(examples: Sequence[Example]) -> list[tuple[Row, ...]]:
    return [example.rows for example in examples]


def labels(row: Row) -> list[int]:
    return [
        token if weight else UNWEIGHED
        for token, weight in zip(row.tokens, row.weights, strict=True)
    ]


def pairs(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch for DPO: the preferred rows, and then the others. Only what is weighed counts."""
    sides = [(side, each) for side in ("chosen", "rejected") for each in examples]
    tokens = [torch.tensor(each[side]) for side, each in sides]
    weights = [torch.tensor(each[f"{side}_weights"], dtype=torch.long) for side, each in sides]
    return {
        "input_ids": padded(tokens),
        "attention_mask": padded([torch.ones_like(each) for each in tokens]),
        "completion_mask": padded(weights),
    }


def padded(rows: list[torch.Tensor]) -> torch.Tensor:
    """Rows of one length. What is added is neither read nor counted."""
    return pad_sequence(rows, batch_first=True)


def is_sparing() -> bool:
    """Whether what a layer computes is computed anew on the way back: on a GPU memory is short, and
    elsewhere time.
    """
    return bool(torch.cuda.is_available())


def fitting(config: Any, free: float) -> int:
    """The tokens for which a GPU's free bytes suffice, once the model is there, in half precision.

    Reckoned, not measured: a token leaves its values before each layer, and then what one layer and
    one tile of logits compute of it, there and back, with the adapter's copies in single precision.
    """
    width, hidden = config.hidden_size, getattr(config, "intermediate_size", 4 * config.hidden_size)
    layers = 2 * config.num_hidden_layers * width
    token = layers + 92 * width + 24 * hidden + 8 * min(TILE, config.vocab_size)
    return min(ON_GPU, int(PART * free / token))


def together(batch_size: int, examples: Sequence[Example], most: int) -> int:
    """How many examples of a batch go through the model at once: as many as divide it and fit."""
    longest = max(len(row.tokens) for each in examples for row in each.rows) * len(examples[0].rows)
    small = (part for part in range(batch_size, 0, -1) if part * longest <= most)
    return next((part for part in small if batch_size % part == 0), 1)


def rate_for(rate: float, width: int) -> float:
    """The learning rate for a model of a width: wider ones need smaller steps. Only WIDTH was
    measured; at 4096, the width of most models of 8B, 1.7e-4 are left of 1.2e-3.
    """
    return rate * min(1.0, WIDTH / width)
