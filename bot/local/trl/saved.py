"""What a training needs to go on after its process was killed: transformers' checkpoint folder.

That is not written at once. It counts as soon as there is a state in it, which is written last.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from bot.local.training.atomic import replacing
from bot.local.training.state import State, state_of
from bot.local.trl.kept import settle

STATE = "state.json"


class Saved:
    """The checkpoints of a training, of which the last one is kept. They are in a folder of their
    own, which is of no use once the training is done.
    """

    def __init__(self, output: Path) -> None:
        self.path = output / "state"

    def folder(self, step: int) -> Path:
        """Where transformers saves what belongs to a step."""
        return self.path / f"checkpoint-{step}"

    def keep(self, state: State) -> None:
        """Have the checkpoint of this state count, and delete all others."""
        folder = self.folder(state.step)
        settle(folder)
        with replacing(folder / STATE) as partial:
            partial.write_text(json.dumps(asdict(state)), encoding="utf-8")
        for other in self.path.glob("checkpoint-*"):
            if other != folder:
                shutil.rmtree(other)

    @property
    def has_any(self) -> bool:
        """Whether a checkpoint counts, if only for another training."""
        return any(self.path.glob(f"*/{STATE}"))

    def last(self, identity: str) -> State | None:
        """The state to go on from; None where there is none of this training."""
        told = [json.loads(file.read_bytes()) for file in self.path.glob(f"*/{STATE}")]
        states = [state for each in told if (state := state_of(each, identity))]
        return max(states, key=lambda each: each.step, default=None)
