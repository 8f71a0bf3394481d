"""What a training needs to go on after its process was killed, as one file.

Which examples come next follows from the seed and the step: no generator's state is kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bot.local.training.arrays import Array
from bot.local.training.atomic import replacing
from bot.local.training.pace import Speeds


@dataclass(slots=True)
class State:
    """Where a training stands. `identity` is what it is made from."""

    identity: str
    step: int = 0
    speeds: Speeds = field(default_factory=Speeds)
    history: list[dict[str, Any]] = field(default_factory=list)  # the metrics of each step


def save(path: Path, state: State, arrays: dict[str, Array]) -> None:
    """Write the state and the arrays that belong to it."""
    told = np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8)
    named: dict[str, Any] = {"state": told, **arrays}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **named)


def restore(path: Path, identity: str, arrays: dict[str, Array]) -> State | None:
    """The last state that was saved, with the arrays filled from it; None where there is none, or
    where it is not one of this training.
    """
    if not path.exists():
        return None
    with np.load(path) as saved:
        state = state_of(json.loads(saved["state"].tobytes()), identity)
        if state:
            for name, array in arrays.items():
                array[...] = saved[name]
    return state


def state_of(told: dict[str, Any], identity: str) -> State | None:
    """A state as it was written; None for that of another training, and for one that another
    tunebot wrote: what it trained would not come out as this one's.
    """
    try:
        state = State(**told | {"speeds": Speeds(**told["speeds"])})
    except (KeyError, TypeError):
        return None
    return state if state.identity == identity else None
