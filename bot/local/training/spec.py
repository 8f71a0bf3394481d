"""What a training is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.training import Kind


class Spec(BaseModel):
    """One training, as a JSON file. None leaves a hyperparameter to `bot.local.training.automatic`.

    Nobody else writes to `output`, which is made where it is missing. The ranges are those of
    OpenAI's API.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path  # the base, a GGUF file; for bot.local.trl a folder
    training_file: Path  # JSON lines
    validation_file: Path | None = None
    kind: Kind
    output: Path
    epochs: Annotated[int, Field(ge=1, le=50)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=256)] | None = None
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | None = None
    beta: Annotated[float, Field(gt=0, le=2)] | None = None  # preference training only
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    rank: Annotated[int, Field(ge=1, le=256)] = 16
    longest: Annotated[int, Field(ge=2)] = 512  # tokens of a row; what is over is cut off
    threads: Annotated[int, Field(ge=1)] = 1  # more make the chat beside it slow
